"""How faithful and how well placed maps are; every metric takes maps of any method.

Each metric is a module with a function over batches and a class that declares its settings. These
modules are imported at once, the tensor maths behind them when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Not when they are asked for, because functions have the names of their modules.
from input_iba.evaluation.absent_class import AbsentClassMetric, separation
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.degradation import DegradationMetric, Degradations, degradation
from input_iba.evaluation.ehr import EhrMetric, HeatRatios, effective_heat_ratios
from input_iba.evaluation.evidence import (
    EvidenceMetric,
    average_precision,
    best_f1,
    smoothed_over,
    token_f1,
)
from input_iba.evaluation.insertion_deletion import (
    InsertionDeletion,
    InsertionDeletionMetric,
    PatchInsertionDeletionMetric,
    insertion_deletion,
    text_insertion_deletion,
)
from input_iba.evaluation.localisation import (
    Localisation,
    LocalisationMetric,
    best_iou,
    localise,
    mass_inside,
    pointing_game,
    region_iou,
    top_inside,
)
from input_iba.evaluation.max_sensitivity import MaxSensitivityMetric, relative_changes
from input_iba.evaluation.rationale import (
    MaskRationaleMetric,
    RationaleMetric,
    Rationales,
    RemoveRationaleMetric,
    text_rationale,
)
from input_iba.evaluation.road import Imputations, RoadMetric, road
from input_iba.evaluation.sanity_check import SanityMetric, SanityScores, sanity_check
from input_iba.evaluation.seed_agreement import SeedAgreementMetric
from input_iba.evaluation.sensitivity_n import (
    NLPSensitivityNMetric,
    SensitivityN,
    SensitivityNMetric,
    correlated,
    logit_drops,
    sensitivity_n,
    text_sensitivity_n,
)
from input_iba.evaluation.sets import random_sets, random_words, set_sizes
from input_iba.evaluation.single_deletion import (
    SingleDeletionMetric,
    SingleDeletions,
    single_deletion,
)
from input_iba.evaluation.target_scores import TargetScoresMetric
from input_iba.evaluation.word_insertion import (
    MaskInsertionDeletionMetric,
    NLPInsertionDeletionMetric,
    RemoveInsertionDeletionMetric,
)

if TYPE_CHECKING:
    from input_iba.core.correlation import spearman
    from input_iba.core.maps import scale_to_peak
    from input_iba.evaluation.imputation import impute
    from input_iba.evaluation.published import (
        Degradation,
        EffectiveHeatRatios,
        VisionInsertionDeletion,
        VisionSensitivityN,
    )
    from input_iba.evaluation.published_sanity_check import SanityCheck
    from input_iba.evaluation.ranks import is_tied, top_overlap
    from input_iba.evaluation.regions import MAX_REGION_SHARE, box_mask, region_share
    from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
    from input_iba.evaluation.similarity import edge_map, structural_similarity, unit_range
    from input_iba.evaluation.summary import (
        Summary,
        holm,
        paired_difference,
        sign_flip_p,
        summarise,
    )
    from input_iba.evaluation.texts import NLPInsertionDeletion, NLPSensitivityN
    from input_iba.modality.text_classifier import TextClassifier

METRICS: dict[str, type[Metric]] = {
    kind.name: kind
    for kind in (
        EhrMetric,
        InsertionDeletionMetric,
        PatchInsertionDeletionMetric,
        SensitivityNMetric,
        NLPInsertionDeletionMetric,
        MaskInsertionDeletionMetric,
        RemoveInsertionDeletionMetric,
        NLPSensitivityNMetric,
        RationaleMetric,
        MaskRationaleMetric,
        RemoveRationaleMetric,
        EvidenceMetric,
        SanityMetric,
        MaxSensitivityMetric,
        SeedAgreementMetric,
        AbsentClassMetric,
        TargetScoresMetric,
        DegradationMetric,
        RoadMetric,
        SingleDeletionMetric,
        LocalisationMetric,
    )
}
"""What can be measured, by name."""

__all__ = [
    "MAX_REGION_SHARE",
    "METRICS",
    "Degradation",
    "Degradations",
    "EffectiveHeatRatios",
    "EvaluationContext",
    "HeatRatios",
    "Imputations",
    "InsertionDeletion",
    "Localisation",
    "Metric",
    "NLPInsertionDeletion",
    "NLPSensitivityN",
    "Rationales",
    "Row",
    "SanityCheck",
    "SanityScores",
    "Score",
    "ScoredSample",
    "SensitivityN",
    "SingleDeletions",
    "Summary",
    "TextClassifier",
    "VisionInsertionDeletion",
    "VisionSensitivityN",
    "average_precision",
    "best_f1",
    "best_iou",
    "box_mask",
    "cascade",
    "correlated",
    "degradation",
    "edge_map",
    "effective_heat_ratios",
    "holm",
    "impute",
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
    "relative_changes",
    "road",
    "sanity_check",
    "scale_to_peak",
    "sensitivity_n",
    "separation",
    "set_sizes",
    "sign_flip_p",
    "single_deletion",
    "smoothed_over",
    "spearman",
    "structural_similarity",
    "summarise",
    "text_insertion_deletion",
    "text_rationale",
    "text_sensitivity_n",
    "token_f1",
    "top_inside",
    "top_overlap",
    "unit_range",
]

_LATER = (
    "input_iba.core.correlation",
    "input_iba.core.maps",
    "input_iba.evaluation.imputation",
    "input_iba.evaluation.published",
    "input_iba.evaluation.published_sanity_check",
    "input_iba.evaluation.ranks",
    "input_iba.evaluation.regions",
    "input_iba.evaluation.reinitialise",
    "input_iba.evaluation.similarity",
    "input_iba.evaluation.summary",
    "input_iba.evaluation.texts",
    "input_iba.modality.text_classifier",
)
"""Modules whose names are imported when they are asked for."""


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that commands answer `--help` without torch."""
    if name in __all__:
        for module in _LATER:
            if hasattr(found := import_module(module), name):
                return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
