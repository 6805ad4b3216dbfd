"""What is to be explained: questions that are asked of whatever a model returns."""

from input_iba.core.targets.base import Facts, Question, Spelling, Target, numbers
from input_iba.core.targets.boxes import BoxTarget
from input_iba.core.targets.classes import ClassTarget, ContrastTarget, MultiLabelTarget
from input_iba.core.targets.default import default_target
from input_iba.core.targets.dense import SegmentTarget
from input_iba.core.targets.losses import (
    SCORES,
    ClassLosses,
    TargetLosses,
    family_of,
    one_each,
    target_losses,
    target_of,
    target_scores,
)
from input_iba.core.targets.probabilities import (
    class_logits,
    log_probabilities,
    predictions,
    probabilities,
)
from input_iba.core.targets.tokens import GenerationTarget, SpanTarget, TokenTarget
from input_iba.core.targets.values import EmbeddingTarget, RegressionTarget

__all__ = [
    "SCORES",
    "BoxTarget",
    "ClassLosses",
    "ClassTarget",
    "ContrastTarget",
    "EmbeddingTarget",
    "Facts",
    "GenerationTarget",
    "MultiLabelTarget",
    "Question",
    "RegressionTarget",
    "SegmentTarget",
    "SpanTarget",
    "Spelling",
    "Target",
    "TargetLosses",
    "TokenTarget",
    "class_logits",
    "default_target",
    "family_of",
    "log_probabilities",
    "numbers",
    "one_each",
    "predictions",
    "probabilities",
    "target_losses",
    "target_of",
    "target_scores",
]
