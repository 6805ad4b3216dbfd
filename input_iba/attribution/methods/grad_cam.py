"""Grad-CAM: the features of a layer, weighted by their mean gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.attribution.methods.base import ScoringMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.hooks import layer_shapes
from input_iba.core.targets import target_scores
from input_iba.errors import AttributionError
from input_iba.registry import BASELINES
from input_iba.settings import setting

MAP_DIMENSIONS = 3
"""Channels, height, width."""


@BASELINES.register_module(name="grad_cam")
@dataclass(frozen=True)
class GradCam(ScoringMethod):
    """The positive part of a layer's features, weighted by their mean gradients, enlarged.

    It is not captum's, which takes the first dimension for channels whatever the layer puts out.

    References:
        Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2.
    """

    name: ClassVar[str] = "grad_cam"
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    uses_captum: ClassVar[bool] = False

    layer: str = setting("", "layer to look at; empty for the last one whose output is a map")

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W).

        Raises:
            LayerNotFoundError: The classifier has no such layer.
            AttributionError: The layer is called more than once or puts out no map.
        """
        layer = self.layer or last_map(task)
        tapped = task.tapped(layer)
        features = tapped.features(task.inputs).detach().requires_grad_()
        task.modality.check_features(features, layer)
        # A copy of them, which layers behind may write into.
        logits = tapped.logits_with(task.inputs, features.clone())
        scores = target_scores(logits[:, None], task.losses, self.score, task.use_softmax)
        [gradients] = torch.autograd.grad(scores.sum(), features)
        weights = gradients.mean((2, 3), keepdim=True)
        cam = (weights * features.detach()).sum(1, keepdim=True).relu()
        size = task.inputs.shape[-2:]
        return F.interpolate(cam, size, mode="bilinear", align_corners=False)[:, 0]


def last_map(task: MethodTask) -> str:
    """Return the last layer whose output is a map of more than one position.

    Raises:
        AttributionError: There is none.
    """
    model = task.model
    shapes = layer_shapes(model, task.inputs[:1], task.classifier.returned)
    for last, outputs in reversed(shapes.items()):
        if len(outputs) == 1 and _is_map(outputs[0]):
            return last
    raise AttributionError(
        f"Method 'grad_cam' needs a layer whose output is a map, and {type(model).__name__} "
        "has none. Use another method, such as 'gradient'."
    )


def _is_map(shape: tuple[int, ...]) -> bool:
    return len(shape) == MAP_DIMENSIONS and shape[1] * shape[2] > 1
