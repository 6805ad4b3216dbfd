"""Sensitivity-N as an evaluation command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from torch import Tensor

from input_iba.drawing import Chart, mean_line
from input_iba.evaluation import correlated, logit_drops, random_sets, set_sizes
from input_iba.evaluation.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
)


@dataclass(frozen=True)
class SensitivityNMetric(Metric):
    """Correlation of summed attribution and what removing the pixels costs, for every N.

    Attributes:
        units: What sets are made of.
        log_n_max: Logarithm to base 10 of the greatest N.
        log_n_ticks: Distance of the logarithms of two N.
        num_masks: Random sets of each N.
    """

    name: ClassVar = "sensitivity_n"
    higher_is_better: ClassVar = {"correlation": True}
    units: ClassVar = "pixels"

    log_n_max: float = 4.5
    log_n_ticks: float = 0.1
    num_masks: int = 100

    def __post_init__(self) -> None:
        check_at_least("--num-masks", self.num_masks, 2)
        set_sizes(2, self.log_n_max, self.log_n_ticks)  # checks the two

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

        # The same sets for all samples of a size; drawing costs as much as a small network.
        @lru_cache(maxsize=8)
        def sets_of(size: tuple[int, ...]) -> dict[int, Tensor]:
            sizes = set_sizes(math.prod(size), self.log_n_max, self.log_n_ticks)
            return {n: self.draw(size, n, setting.seed) for n in sizes}

        lost: dict[tuple[str, int], dict[int, Tensor]] = {}

        def lost_by(case: Case, sets: dict[int, Tensor]) -> dict[int, Tensor]:
            # It does not depend on the map: methods that are compared share it.
            key = (case.sample.id, case.target)
            if key not in lost:
                lost[key] = {n: self.drops(setting, case, of_n) for n, of_n in sets.items()}
            return lost[key]

        def score(case: Case) -> Row | str:
            if case.heat.numel() < 2:
                return f"fewer than two {self.units}"
            sets = sets_of(tuple(case.heat.shape))
            heat = case.heat.flatten()[None]
            correlations = {
                str(n): correlated(drops, sets[n].flatten(1), heat).correlation.item()
                for n, drops in lost_by(case, sets).items()
            }
            mean = sum(correlations.values()) / len(correlations)
            return {"correlation": mean, "correlations": correlations}

        return score

    def draw(self, size: tuple[int, ...], n: int, seed: int) -> Tensor:
        """Return random sets of n elements of a map, (M, H, W)."""
        return random_sets((size[0], size[1]), n, self.num_masks, seed)

    def drops(self, setting: Setting, case: Case, sets: Tensor) -> Tensor:
        """Return what the target's logit loses without each of some sets (M, H, W), (1, M)."""
        x, rows = case.sample.input[None], setting.rows(case.sample.input)
        return logit_drops(setting.classify, x, [case.target], sets, rows)

    def values(self, row: Row) -> dict[str, float]:
        """Return the mean over all N, and the correlation of every N."""
        return {"correlation": row["correlation"], **row["correlations"]}

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean correlation over N."""
        shared = [n for n in rows[0]["correlations"] if all(n in r["correlations"] for r in rows)]
        values = [[row["correlations"][n] for n in shared] for row in rows]
        lines = [mean_line("higher is better", [float(n) for n in shared], values)]
        title = f"Sensitivity-N, mean of {len(rows)} samples"
        return Chart(title, f"N, {self.units} of a set", "correlation", lines, log_x=True)
