"""Target probabilities as an evaluation command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from input_iba.drawing import Chart, share_line
from input_iba.evaluation.base import Case, Metric, Row, Score, Setting


@dataclass(frozen=True)
class TargetScoresMetric(Metric):
    """Probability of the class that is explained; needs no maps."""

    name: ClassVar = "target_scores"
    higher_is_better: ClassVar = {"pred": None}
    needs_map: ClassVar = False
    texts: ClassVar = None

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        def score(case: Case) -> Row:
            return {}  # every row holds target and probability

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each probability."""
        lines = [share_line("target", [row["pred"] for row in rows])]
        title = f"Target probabilities of {len(rows)} samples"
        return Chart(title, "probability of the target", "share of samples at least so sure", lines)
