"""What metrics share that explain samples again: which map is made, and from which statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from input_iba.evaluation.base import Metric
from input_iba.settings import setting


@dataclass(frozen=True)
class RepeatingMetric(Metric):
    """A metric that asks what the maps of a config depend on, and so makes them itself."""

    needs_map: ClassVar = False

    method: str | None = setting(
        None,
        "another method that explains, with the config's `baseline` settings (default: the three "
        "stages of the config)",
        metavar="NAME",
    )
    mask: Literal["map", "input_mask", "feature_mask", "prior_mask"] = setting(
        "map", "the answer, or a mask of the config's three stages; other methods have one map only"
    )
    n_estimation: int = setting(
        100, "samples of the estimation set behind the layer's statistics", at_least=2
    )
