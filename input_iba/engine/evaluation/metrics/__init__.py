"""One small definition per evaluation command."""

from input_iba.engine.evaluation.metrics.base import Case, Metric, Row, Score, Setting
from input_iba.engine.evaluation.metrics.degradation import DegradationMetric
from input_iba.engine.evaluation.metrics.ehr import EhrMetric
from input_iba.engine.evaluation.metrics.insertion_deletion import InsertionDeletionMetric
from input_iba.engine.evaluation.metrics.localisation import LocalisationMetric
from input_iba.engine.evaluation.metrics.sanity import SanityMetric
from input_iba.engine.evaluation.metrics.sensitivity_n import SensitivityNMetric
from input_iba.engine.evaluation.metrics.target_scores import TargetScoresMetric

_KINDS: tuple[type[Metric], ...] = (
    *(DegradationMetric, EhrMetric, InsertionDeletionMetric, LocalisationMetric),
    *(SanityMetric, SensitivityNMetric, TargetScoresMetric),
)

METRICS = {kind.name: kind for kind in _KINDS}
"""What can be measured, by name."""

__all__ = [
    "METRICS",
    "Case",
    "DegradationMetric",
    "EhrMetric",
    "InsertionDeletionMetric",
    "LocalisationMetric",
    "Metric",
    "Row",
    "SanityMetric",
    "Score",
    "SensitivityNMetric",
    "Setting",
    "TargetScoresMetric",
]
