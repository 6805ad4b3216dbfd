"""Sensitivity-N as an evaluation command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.engine.evaluation.metrics.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
)
from input_iba.evaluation import correlated, logit_drops, random_sets, set_sizes
from input_iba.visualization import Chart, mean_line


@dataclass(frozen=True)
class SensitivityNMetric(Metric):
    """Correlation of summed attribution and what removing the pixels costs, for every N.

    Attributes:
        log_n_max: Logarithm to base 10 of the greatest N.
        log_n_ticks: Distance of the logarithms of two N.
        num_masks: Random sets of each N.
    """

    name: ClassVar = "sensitivity_n"
    higher_is_better: ClassVar = {"correlation": True}

    log_n_max: float = 4.5
    log_n_ticks: float = 0.1
    num_masks: int = 100

    def __post_init__(self) -> None:
        check_at_least("--num-masks", self.num_masks, 2)
        set_sizes(2, self.log_n_max, self.log_n_ticks)  # checks the two

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""
        drawn: dict[tuple[int, int], dict[int, Tensor]] = {}

        def sets_of(size: tuple[int, int]) -> dict[int, Tensor]:
            # The same sets for all samples of a size; drawing costs as much as a small network.
            if size not in drawn:
                drawn[size] = {
                    n: random_sets(size, n, self.num_masks, setting.seed)
                    for n in set_sizes(size[0] * size[1], self.log_n_max, self.log_n_ticks)
                }
            return drawn[size]

        drops: dict[tuple[str, int], dict[int, Tensor]] = {}

        def drops_of(case: Case, sets: dict[int, Tensor]) -> dict[int, Tensor]:
            # They do not depend on the map: methods that are compared share them.
            key = (case.sample.id, case.target)
            if key not in drops:
                x, rows = case.sample.input[None], setting.rows(case.sample.input)
                drops[key] = {
                    n: logit_drops(setting.classify, x, [case.target], of_n, rows)
                    for n, of_n in sets.items()
                }
            return drops[key]

        def score(case: Case) -> Row:
            height, width = case.heat.shape
            sets = sets_of((height, width))
            heat = case.heat.flatten()[None]
            correlations = {
                str(n): correlated(of_n, sets[n].flatten(-2), heat).correlation.item()
                for n, of_n in drops_of(case, sets).items()
            }
            mean = sum(correlations.values()) / len(correlations)
            return {"correlation": mean, "correlations": correlations}

        return score

    def values(self, row: Row) -> dict[str, float]:
        """Return the mean over all N, and the correlation of every N."""
        return {"correlation": row["correlation"], **row["correlations"]}

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean correlation over N."""
        shared = [n for n in rows[0]["correlations"] if all(n in r["correlations"] for r in rows)]
        values = [[row["correlations"][n] for n in shared] for row in rows]
        lines = [mean_line("higher is better", [float(n) for n in shared], values)]
        title = f"Sensitivity-N, mean of {len(rows)} samples"
        return Chart(title, "N, pixels of a set", "correlation", lines, log_x=True)
