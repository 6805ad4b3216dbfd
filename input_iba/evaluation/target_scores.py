"""Target probabilities: what the classifier says for the class that is explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample

if TYPE_CHECKING:
    from input_iba.drawing import Chart


@dataclass(frozen=True)
class TargetScoresMetric(Metric):
    """Probability of the class that is explained; needs no maps."""

    name: ClassVar = "target_scores"
    description: ClassVar = (
        "Write the probability of each sample's explained class; given HEATMAP_DIR, only where "
        "there is a map."
    )
    higher_is_better: ClassVar = {"pred": None}
    needs_map: ClassVar = False
    kind: ClassVar = None

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        def score(case: ScoredSample) -> Row:
            return {}  # every row holds target and probability

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each probability."""
        from input_iba.drawing import Chart, share_line

        lines = [share_line("target", [row["pred"] for row in rows])]
        title = f"Target probabilities of {len(rows)} samples"
        return Chart(title, "probability of the target", "share of samples at least so sure", lines)
