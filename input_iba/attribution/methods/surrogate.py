"""Methods that fit a linear model of the score to which segments of the input are left."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from input_iba.attribution.methods.base import ScoringMethod, captum_attr
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.noise import seeded_globally
from input_iba.modality.segments import SEGMENTS, load_slic
from input_iba.registry import BASELINES
from input_iba.settings import setting


@dataclass(frozen=True)
class SurrogateMethod(ScoringMethod):
    """Settings of methods that blank random sets of segments."""

    signed: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = True
    counted_by: ClassVar[str] = "n_samples"

    score: str = "probability"
    segments: str = setting(
        "grid",
        "'grid' for square tiles, or 'slic' for superpixels (needs scikit-image); of texts every "
        "token is a segment",
        choices=SEGMENTS,
    )
    tiles: int = setting(
        7, "segments per side; the number of superpixels is its square", at_least=1
    )
    n_samples: int = setting(500, "random sets", at_least=1)
    per_segment: int = setting(
        10, "random sets for every segment, of inputs for which n_samples are fewer", at_least=0
    )
    fill: float = setting(
        0.0, "value of a blank segment, normalised; 0 is the data's mean colour, and no word"
    )

    def check(self, classifier: nn.Module) -> None:
        """Refuse a classifier that the method cannot explain."""
        super().check(classifier)
        if self.segments == "slic":
            load_slic()

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, …): every segment's coefficient all over it."""
        segments = task.modality.segments(task.inputs, task.tokens, self.segments, self.tiles)
        sets = max(self.n_samples, self.per_segment * (int(segments.max()) + 1))
        if int(segments.max()) == 0:
            return self._whole(task).expand_as(segments)[None]
        [seed] = task.noise(self.name).seeds
        everywhere = segments[None].unsqueeze(task.modality.channels).expand_as(task.inputs)
        with seeded_globally(seed, task.inputs.device):
            coefficients = self.method(task).attribute(
                task.inputs,
                baselines=self.fill,
                feature_mask=everywhere,
                n_samples=sets,
                perturbations_per_eval=min(task.internal_batch_size, sets),
                return_input_shape=False,
            )
        values: Tensor = coefficients.flatten().to(task.inputs)
        return values[segments][None]

    @torch.no_grad()
    def _whole(self, task: MethodTask) -> Tensor:
        """Return what a single segment is worth, a scalar: there is no set to draw."""
        scorer = task.scorer(self.score)
        worth: Tensor = scorer(task.inputs) - scorer(torch.full_like(task.inputs, self.fill))
        return worth[0]

    @abstractmethod
    def method(self, task: MethodTask) -> Any:
        """Return captum's object for the method."""


@BASELINES.register_module(name="lime")
@dataclass(frozen=True)
class Lime(SurrogateMethod):
    """Coefficients of a ridge regression in which sets near the whole input count more.

    References:
        Ribeiro et al. 2016 (arXiv 1602.04938), section 3.
    """

    name: ClassVar[str] = "lime"

    kernel_width: float = setting(
        0.25,
        "width s of the weight exp(-(d/s)^2), with d the cosine distance between the set and the "
        "whole",
        above=0,
    )
    alpha: float = setting(1.0, "weight of the squared coefficients", at_least=0)

    def method(self, task: MethodTask) -> Any:
        """Return captum's object for the method."""
        return captum_attr().Lime(
            task.scorer(self.score), WeightedRidge(self.alpha), similarity_func=self.weight
        )

    def weight(self, _: Tensor, __: Tensor, kept: Tensor, **___: object) -> Tensor:
        """Weigh a set, (1, segments), 1 where kept; returns (1,)."""
        distance = 1 - kept.double().mean(1).sqrt()  # of a 0/1 vector to the vector of ones
        return (-(distance / self.kernel_width).square()).exp()


@BASELINES.register_module(name="kernel_shap")
@dataclass(frozen=True)
class KernelShap(SurrogateMethod):
    """Shapley values of the segments, by a weighted regression.

    References:
        Lundberg and Lee 2017 (arXiv 1705.07874), section 4.1.
    """

    name: ClassVar[str] = "kernel_shap"

    def method(self, task: MethodTask) -> Any:
        """Return captum's object for the method."""
        method = captum_attr().KernelShap(task.scorer(self.score))
        method.interpretable_model = WeightedRidge(0.0)  # captum's own needs scikit-learn
        return method


class WeightedRidge:
    """A linear model, fitted by weighted least squares; `alpha` weighs its squared coefficients.

    The intercept is free.
    """

    def __init__(self, alpha: float) -> None:
        self.alpha = alpha
        self._coefficients = torch.zeros(1, 0)

    def fit(self, train_data: Iterable[Any], **_: object) -> None:
        """Fit to batches of (x, y, weight): (n, features), (n,), (n,)."""
        parts = [tuple(tensor.cpu().double() for tensor in batch) for batch in train_data]
        x, y, weight = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        root = weight.flatten().sqrt()[:, None]
        ones = torch.ones(len(x), 1, dtype=x.dtype)
        penalty = self.alpha**0.5 * torch.eye(x.shape[1], x.shape[1] + 1, dtype=x.dtype)
        design = torch.cat([root * torch.cat([x, ones], 1), penalty])
        goal = torch.cat([root * y.reshape(-1, 1), torch.zeros(x.shape[1], 1, dtype=x.dtype)])
        # gelsd: the sets may be too few to tell all segments apart.
        solution = torch.linalg.lstsq(design, goal, driver="gelsd").solution
        self._coefficients = solution[:-1].T

    def representation(self) -> Tensor:
        """Return the coefficients, (1, features), float64."""
        return self._coefficients
