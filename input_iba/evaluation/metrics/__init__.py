"""One small definition per evaluation command."""

from collections.abc import Iterable

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import Case, Metric, Row, Score, Setting
from input_iba.evaluation.metrics.degradation import DegradationMetric
from input_iba.evaluation.metrics.ehr import EhrMetric
from input_iba.evaluation.metrics.insertion_deletion import InsertionDeletionMetric
from input_iba.evaluation.metrics.localisation import LocalisationMetric
from input_iba.evaluation.metrics.nlp_insertion_deletion import (
    NLPInsertionDeletionMetric,
)
from input_iba.evaluation.metrics.nlp_sensitivity_n import NLPSensitivityNMetric
from input_iba.evaluation.metrics.sanity import SanityMetric
from input_iba.evaluation.metrics.sensitivity_n import SensitivityNMetric
from input_iba.evaluation.metrics.target_scores import TargetScoresMetric

_KINDS: tuple[type[Metric], ...] = (
    *(DegradationMetric, EhrMetric, InsertionDeletionMetric, LocalisationMetric),
    *(NLPInsertionDeletionMetric, NLPSensitivityNMetric),
    *(SanityMetric, SensitivityNMetric, TargetScoresMetric),
)

METRICS = {kind.name: kind for kind in _KINDS}
"""What can be measured, by name."""


def check_modality(metrics: Iterable[Metric], texts: bool) -> None:
    """Refuse metrics that are about another kind of sample.

    Args:
        metrics: What is to be measured.
        texts: Whether samples are texts; else they are images.

    Raises:
        EvaluationError: Names the metric and those that fit.
    """
    for metric in metrics:
        if metric.texts not in (None, texts):
            fitting = ", ".join(name for name, kind in METRICS.items() if kind.texts is texts)
            raise EvaluationError(
                f"Metric {metric.name!r} is about {'texts' if metric.texts else 'images'}, and the "
                f"config is about {'texts' if texts else 'images'}. Metrics for it: {fitting}."
            )


__all__ = [
    "METRICS",
    "Case",
    "DegradationMetric",
    "EhrMetric",
    "InsertionDeletionMetric",
    "LocalisationMetric",
    "Metric",
    "NLPInsertionDeletionMetric",
    "NLPSensitivityNMetric",
    "Row",
    "SanityMetric",
    "Score",
    "SensitivityNMetric",
    "Setting",
    "TargetScoresMetric",
    "check_modality",
]
