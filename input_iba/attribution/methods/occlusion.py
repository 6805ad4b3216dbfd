"""Occlusion: what the score loses when a square of the input, or a word, is blank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from input_iba.attribution.methods.base import ScoringMethod, captum_attr
from input_iba.attribution.methods.task import MethodTask
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@BASELINES.register_module(name="occlusion")
@dataclass(frozen=True)
class Occlusion(ScoringMethod):
    """The mean loss of score over all squares that cover a pixel; of texts, token by token.

    References:
        Zeiler and Fergus 2014 (arXiv 1311.2901), section 4.2.
    """

    name: ClassVar[str] = "occlusion"
    signed: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True

    score: str = "probability"
    window: float = setting(
        1 / 7,
        "side of the square, as a share of the input's shorter side; of texts it is one token",
    )
    stride: float = setting(1 / 14, "distance of two squares, likewise, at most window")
    fill: float = setting(0.0, "value of the square, normalised; 0 is the data's mean colour")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.stride <= self.window <= 1:
            raise ConfigError(
                f"Baseline 'occlusion' needs 0 < stride ≤ window ≤ 1, shares of the input's side; "
                f"got stride {self.stride!r} and window {self.window!r}."
            )

    @property
    def rows_per_sample(self) -> int:
        """All squares of a square input."""
        return round((1 - self.window) / self.stride + 1) ** 2

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W) or (1, T)."""
        method = captum_attr().Occlusion(task.scorer(self.score))
        window, stride = task.modality.window(task.inputs, self.window, self.stride)
        values: Tensor = method.attribute(
            task.inputs,
            sliding_window_shapes=window,
            strides=stride,
            baselines=self.fill,
            perturbations_per_eval=task.internal_batch_size,
        )
        # What is blank covers all channels, so they are equal.
        return values.select(task.modality.channels, 0)
