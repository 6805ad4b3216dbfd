"""How faithful and how well placed maps are; every metric takes maps of any method.

Each metric is a pure function over batches; the classes with the published call signatures are thin
layers over them.
"""

from input_iba.core.maps import scale_to_peak
from input_iba.evaluation.degradation import Degradation, Degradations, degradation
from input_iba.evaluation.edges import edge_map
from input_iba.evaluation.ehr import (
    MAX_REGION_SHARE,
    EffectiveHeatRatios,
    HeatRatios,
    effective_heat_ratios,
)
from input_iba.evaluation.insertion_deletion import (
    InsertionDeletion,
    VisionInsertionDeletion,
    insertion_deletion,
)
from input_iba.evaluation.localisation import (
    Localisation,
    localise,
    mass_inside,
    pointing_game,
    region_iou,
    top_inside,
)
from input_iba.evaluation.nlp_insertion_deletion import (
    NLPInsertionDeletion,
    text_insertion_deletion,
)
from input_iba.evaluation.nlp_sensitivity_n import (
    NLPSensitivityN,
    text_logit_drops,
    text_sensitivity_n,
)
from input_iba.evaluation.ranks import is_tied
from input_iba.evaluation.regions import box_mask, region_share
from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
from input_iba.evaluation.sanity_check import SanityCheck, SanityScores, sanity_check
from input_iba.evaluation.sensitivity_n import (
    SensitivityN,
    VisionSensitivityN,
    correlated,
    logit_drops,
    sensitivity_n,
)
from input_iba.evaluation.sets import random_sets, random_words, set_sizes
from input_iba.evaluation.significance import holm, sign_flip_p
from input_iba.evaluation.similarity import structural_similarity, unit_range
from input_iba.evaluation.summary import Summary, paired_difference, summarise
from input_iba.modality.text_classifier import TextClassifier

__all__ = [
    "MAX_REGION_SHARE",
    "Degradation",
    "Degradations",
    "EffectiveHeatRatios",
    "HeatRatios",
    "InsertionDeletion",
    "Localisation",
    "NLPInsertionDeletion",
    "NLPSensitivityN",
    "SanityCheck",
    "SanityScores",
    "SensitivityN",
    "Summary",
    "TextClassifier",
    "VisionInsertionDeletion",
    "VisionSensitivityN",
    "box_mask",
    "cascade",
    "correlated",
    "degradation",
    "edge_map",
    "effective_heat_ratios",
    "holm",
    "insertion_deletion",
    "is_tied",
    "layers_from_the_top",
    "localise",
    "logit_drops",
    "mass_inside",
    "paired_difference",
    "pointing_game",
    "random_sets",
    "random_words",
    "region_iou",
    "region_share",
    "sanity_check",
    "scale_to_peak",
    "sensitivity_n",
    "set_sizes",
    "sign_flip_p",
    "structural_similarity",
    "summarise",
    "text_insertion_deletion",
    "text_logit_drops",
    "text_sensitivity_n",
    "top_inside",
    "unit_range",
]
