"""What an evaluation command measures: how a sample is scored, and what is made of the scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.fitting import FittingRows
from input_iba.drawing import Chart, Line, mean_line
from input_iba.errors import EvaluationError
from input_iba.evaluation import MAX_REGION_SHARE, box_mask, region_share
from input_iba.records import Explanation, Failure, FeatureStatistics, ImageSample, Sample, Targets

Row = Mapping[str, Any]
"""Scores of one sample as plain data."""

POINTS = 101
"""Points that a row keeps of a curve of many steps."""


@dataclass(frozen=True)
class Case:
    """One sample that is to be scored.

    Attributes:
        sample: The sample, its input (C, H, W), or (T,) of a text, on the classifier's device.
        target: Class index that was explained.
        probability: Probability of the target.
        heat: The map, (H, W), or (W,) of a text of W words, float64, on the CPU; zeros for a
            metric without maps.
    """

    sample: Sample
    target: int
    probability: float
    heat: Tensor


class Explainer(Protocol):
    """What a metric needs of an attributor to explain a classifier that it has changed."""

    statistics: FeatureStatistics | None

    def estimate(self, batches: Iterable[Tensor], n_samples: int) -> FeatureStatistics:
        """Return the statistics of the layer over a number of inputs."""

    def attribute(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        internal_batch_size: int | None = None,
    ) -> Sequence[Explanation | Failure]:
        """Explain a batch of inputs."""


@dataclass(frozen=True)
class Setting:
    """What all samples of an evaluation share.

    Attributes:
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
        section: What the config says about the sanity check; empty where it says nothing.
        config_path: The config, for messages.
        classifier: In eval mode, on `device`.
        classify: Its forward pass in the precision asked for, with float32 logits. Of texts it
            takes token ids (B, T), and optionally which keep their embedding, (B, T), bool; the
            embeddings of the others become 0.
        device: Where it is.
        autocast: Type in which it computes, or None for float32.
        seed: Seed of whatever is drawn.
        make_explainer: Builds what the config explains with.
        estimation_inputs: Returns a number of inputs from all over the estimation set, in batches
            (B, C, H, W), and how many there are.
        ids: All ids of the data set.
        beside: Path of the result without its extension, for what is written beside it.
        fitting: How many inputs the classifier sees at once.
        fingerprints: Hashes of the weights (`classifier`) and of the samples (`data`).
    """

    use_softmax: bool
    section: Mapping[str, Any]
    config_path: Path
    classifier: nn.Module
    classify: Callable[..., Tensor]
    device: torch.device
    autocast: torch.dtype | None
    seed: int
    make_explainer: Callable[[], Explainer]
    estimation_inputs: Callable[[int], tuple[Iterator[Tensor], int]]
    ids: Sequence[str]
    beside: Path
    fitting: FittingRows
    fingerprints: Mapping[str, str]

    def rows(self, x: Tensor) -> int:
        """Return how many inputs like x, (C, H, W) or (T,), the classifier sees at once."""
        return self.fitting.rows(tuple(x.shape))


Score = Callable[[Case], Row | str]
"""Returns a sample's row, or why the sample is left out."""


@dataclass(frozen=True)
class Metric(ABC):
    """One metric; the fields of its dataclass are its settings.

    Attributes:
        name: In files and messages.
        higher_is_better: By key of a row that is summarised: the direction in which it is good,
            or None where it is neither.
        needs_map: Whether there is a map to score.
        texts: Whether it is about texts; None where it is about texts and images.
    """

    name: ClassVar[str]
    higher_is_better: ClassVar[Mapping[str, bool | None]]
    needs_map: ClassVar[bool] = True
    texts: ClassVar[bool | None] = False

    @abstractmethod
    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""

    @abstractmethod
    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the curve of at least one row."""

    def verdict(self, rows: Sequence[Row]) -> Mapping[str, Any] | None:
        """Return what at least one row says by the metric's own rule, as plain data, if it has one.

        `passes` says whether it is passed, `rule` what that means.
        """
        return None

    def values(self, row: Row) -> dict[str, float]:
        """Return what of a row is summarised over samples."""
        return {key: row[key] for key in self.higher_is_better}


def region_of(case: Case) -> Tensor | str:
    """Return the region of a sample's boxes, (H, W), bool, or why there is none to use."""
    boxes = case.sample.boxes if isinstance(case.sample, ImageSample) else None
    if boxes is None or len(boxes) == 0:
        return "no boxes"
    height, width = case.heat.shape
    return small_enough(box_mask(boxes.cpu(), height, width))


def small_enough(region: Tensor) -> Tensor | str:
    """Return a region (H, W), or why it cannot tell good maps from bad ones."""
    if not bool((region != 0).any()):
        return "empty region"
    if float(region_share(region)) > MAX_REGION_SHARE:
        return f"region above {MAX_REGION_SHARE:.0%} of the picture"
    return region


def resampled(shares: Tensor, scores: Tensor) -> list[float]:
    """Return a curve (T,) over shares (T,) at `POINTS` equal distances, rounded for reading."""
    at = np.linspace(0, 1, POINTS)
    return rounded(np.interp(at, shares.numpy(), scores.numpy()))


def mean_curves(rows: Sequence[Row], labels: Mapping[str, str]) -> list[Line]:
    """Average curves that rows keep as `resampled` returns them.

    Args:
        rows: At least one.
        labels: From the key of a curve to what it shows.
    """
    shares = rounded(np.linspace(0, 1, POINTS))
    return [mean_line(label, shares, [row[key] for row in rows]) for key, label in labels.items()]


def rounded(values: ArrayLike, digits: int = 6) -> list[float]:
    """Return numbers as a plain list, rounded for reading."""
    found: list[float] = np.round(np.asarray(values, dtype=np.float64), digits).tolist()
    return found


def check_at_least(name: str, value: float, least: float) -> None:
    """Refuse a setting that is too small.

    Raises:
        EvaluationError: Names option and value.
    """
    if not value >= least:
        raise EvaluationError(f"{name} must be at least {least:g}; got {value!r}.")
