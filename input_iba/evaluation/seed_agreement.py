"""Agreement of seeds: how much of a map is chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.evaluation.base import EvaluationContext, Row, Score, ScoredSample
from input_iba.evaluation.repeatability import RepeatingMetric
from input_iba.settings import setting

if TYPE_CHECKING:
    from input_iba.drawing import Chart


@dataclass(frozen=True)
class SeedAgreementMetric(RepeatingMetric):
    """Rank correlation, and overlap of the hottest, of two maps made with two seeds."""

    name: ClassVar = "seed_agreement"
    description: ClassVar = "Explain twice with two seeds, and measure how far the maps agree."
    higher_is_better: ClassVar = {"rank_correlation": True, "top_overlap": True}
    kind: ClassVar = None

    top_share: float = setting(
        0.05, "share of the pixels or words that are the hottest", above=0, at_most=1
    )

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.core.correlation import spearman
        from input_iba.evaluation.explain_again import repeated
        from input_iba.evaluation.ranks import top_overlap

        again = repeated(context, self.mask, self.n_estimation, self.method)

        def score(case: ScoredSample) -> Row | str:
            first, second = (
                again(case, case.sample.input, context.seed + i).flatten()[None] for i in (0, 1)
            )
            if bool((first == first[:, :1]).all() & (second == second[:, :1]).all()):
                return "both maps have one value everywhere"
            return {
                "rank_correlation": spearman(first, second).item(),
                "top_overlap": top_overlap(first, second, self.top_share).item(),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each agreement."""
        from input_iba.drawing import Chart, share_line

        labels = {
            "rank_correlation": "rank correlation",
            "top_overlap": f"overlap of the hottest {self.top_share:.0%}",
        }
        lines = [share_line(said, [row[key] for row in rows]) for key, said in labels.items()]
        title = f"Agreement of two seeds, {len(rows)} samples"
        return Chart(title, "value, higher is better", "share of samples at least so high", lines)
