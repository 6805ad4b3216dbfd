"""Class activation maps: a layer's features, weighted by what they mean for the score."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.attribution.methods.base import ScoringMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.hooks import layer_shapes
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import target_scores
from input_iba.errors import AttributionError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@dataclass(frozen=True)
class ClassActivationMap(ScoringMethod):
    """The positive part of the weighted sum of a layer's channels, enlarged.

    The channels are where the layer has them, in transformers as well; packages that take the
    first dimension for channels, or ask the caller to turn features round, are not used.
    """

    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    uses_captum: ClassVar[bool] = False

    layer: str = setting("", "layer to look at; empty for the last one whose output is a map")

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        layer = self.layer or last_map(task, self.name)
        tapped = task.tapped(layer)
        features = tapped.features(task.inputs, task.tokens).detach()
        task.modality.check_features(features, task.inputs, layer)
        weights = self.weights(task, tapped, features)
        cam = (weights * features).sum(1, keepdim=True).relu()
        return task.modality.spread(cam, task.inputs)

    @abstractmethod
    def weights(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return what to multiply features (s, C, h, w) by, (s, C, h, w) or (s, C, 1, 1)."""

    def gradients(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return the gradients of the scores with respect to the features, (s, C, h, w)."""
        features = features.requires_grad_()
        # A copy of them, which layers behind may write into.
        logits = tapped.logits_with(task.inputs, features.clone(), task.tokens)
        scores = target_scores(logits[:, None], task.losses, self.score, task.use_softmax)
        [found] = torch.autograd.grad(scores.sum(), features)
        return found


@BASELINES.register_module(name="grad_cam")
@dataclass(frozen=True)
class GradCam(ClassActivationMap):
    """Every channel counts as much as its mean gradient.

    References:
        Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2.
    """

    name: ClassVar[str] = "grad_cam"

    def weights(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return one weight per channel, (s, C, 1, 1)."""
        return self.gradients(task, tapped, features).mean(places(features), keepdim=True)


@BASELINES.register_module(name="grad_cam_pp")
@dataclass(frozen=True)
class GradCamPlusPlus(ClassActivationMap):
    """Grad-CAM++: positive gradients, of which those of few places count as those of many.

    With g the gradient of the score S and A the sum of the channel's features, its weight is
    Σ g² / (2 g² + A g³) · max(g, 0) over its places. The factor exp(S) of the paper, the same for
    all channels, is left out.

    References:
        Chattopadhyay et al. 2018 (arXiv 1710.11063), equations 10 to 13 and 19.
    """

    name: ClassVar[str] = "grad_cam_pp"

    def weights(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return one weight per channel, (s, C, 1, 1)."""
        gradients = self.gradients(task, tapped, features)
        square = gradients.square()
        below = (
            2 * square + features.detach().sum(places(features), keepdim=True) * square * gradients
        )
        # Where the gradient is 0 it says nothing, whatever the share of it would be.
        shares = torch.where((square > 0) & (below != 0), square / below, 0)
        return (shares * gradients.relu()).sum(places(features), keepdim=True)


@BASELINES.register_module(name="layer_cam")
@dataclass(frozen=True)
class LayerCam(ClassActivationMap):
    """Every place of every channel counts as much as its own gradient, where that is positive.

    References:
        Jiang et al. 2021 (LayerCAM, IEEE TIP 30), equations 6 and 7.
    """

    name: ClassVar[str] = "layer_cam"

    def weights(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return one weight per place and channel, (s, C, h, w)."""
        return self.gradients(task, tapped, features).relu()


@BASELINES.register_module(name="score_cam")
@dataclass(frozen=True)
class ScoreCam(ClassActivationMap):
    """Every channel counts as much as the score of the input that it masks, among all channels.

    One pass per channel. Channels are enlarged and stretched to [0, 1] to mask the input; their
    weights are the softmax of the scores. That of a blank input would change no weight.

    References:
        Wang et al. 2020 (arXiv 1910.01279), equations 6 to 9 and algorithm 1.
    """

    name: ClassVar[str] = "score_cam"
    one_by_one: ClassVar[bool] = True

    @torch.no_grad()
    def weights(self, task: MethodTask, tapped: TappedClassifier, features: Tensor) -> Tensor:
        """Return one weight per channel of one sample, (1, C, 1, 1)."""
        scorer, channels = (
            task.scorer(self.score),
            task.modality.spread(features[0][:, None], task.inputs),
        )
        low, high = (
            extreme(channels.flatten(1), 1).values.view(-1, *[1] * (channels.ndim - 1))
            for extreme in (torch.min, torch.max)
        )
        # A channel that is the same everywhere masks nothing out, and tells nothing: it keeps 0.
        masks = (channels - low) / (high - low).clamp_min(torch.finfo(channels.dtype).tiny)
        parts = torch.split(masks[:, None], task.internal_batch_size)
        scores = torch.cat([scorer(task.inputs * part) for part in parts])
        return scores.softmax(0).view(1, -1, *[1] * (features.ndim - 2))


def places(features: Tensor) -> tuple[int, ...]:
    """Return the dimensions of features (s, C, h, w) that are places."""
    return tuple(range(2, features.ndim))


def last_map(task: MethodTask, method: str) -> str:
    """Return the last layer whose output is a map of more than one position.

    Raises:
        AttributionError: There is none.
    """
    one = task.select([0])
    shapes = layer_shapes(
        task.model, one.inputs, lambda inputs: task.classifier.returned(inputs, one.tokens)
    )
    dims = task.inputs.ndim - 1
    for last, outputs in reversed(shapes.items()):
        if len(outputs) == 1 and len(outputs[0]) == dims and math.prod(outputs[0][1:]) > 1:
            return last
    raise AttributionError(
        f"Method {method!r} needs a layer whose output is a map, and {type(task.model).__name__} "
        "has none. Use another method, such as 'gradient'."
    )
