"""Grad-CAM: the features of a layer, weighted by their mean gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.baselines.base import Baseline, captum_attr
from input_iba.attribution.baselines.task import BaselineTask
from input_iba.core.forward import precision
from input_iba.core.hooks import find_layer, layer_shapes
from input_iba.errors import AttributionError
from input_iba.registry import BASELINES

MAP_DIMENSIONS = 3
"""Channels, height, width."""


@BASELINES.register_module(name="grad_cam")
@dataclass(frozen=True)
class GradCam(Baseline):
    """The positive part of a layer's features, weighted by their mean gradients, enlarged.

    Attributes:
        score: What is explained; see `target_scores`.
        layer: Name of the layer; empty for the last one whose output is a map.

    References:
        Selvaraju et al. 2017 (arXiv 1610.02391), equations 1 and 2.
    """

    name: ClassVar[str] = "grad_cam"
    explains_text: ClassVar[bool] = False

    score: str = "logit"
    layer: str = ""

    def maps(self, task: BaselineTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        attr = captum_attr()
        with precision(task.autocast, task.inputs.device):
            module = cam_layer(task.classifier, self.layer, task.inputs[:1])
        method = attr.LayerGradCam(task.scorer(self.score), module)
        cam = method.attribute(task.leaf(), relu_attributions=True)
        size = task.inputs.shape[-2:]
        enlarged = F.interpolate(cam.to(task.inputs), size, mode="bilinear", align_corners=False)
        return enlarged[:, 0]


def cam_layer(model: nn.Module, name: str, example: Tensor) -> nn.Module:
    """Return the layer to look at.

    Args:
        model: The classifier.
        name: Its name; empty for the last layer whose output is a map of more than one position.
        example: One input, (1, C, H, W).

    Raises:
        LayerNotFoundError: The model has no such layer.
        AttributionError: The layer is called more than once or puts out no map.
    """
    shapes = layer_shapes(model, example)
    if not name:
        for last, outputs in reversed(shapes.items()):
            if len(outputs) == 1 and _is_map(outputs[0]):
                return find_layer(model, last)
        raise AttributionError(
            f"Method 'grad_cam' needs a layer whose output is a map, and {type(model).__name__} "
            "has none. Use another method, such as 'gradient'."
        )
    layer = find_layer(model, name)
    outputs = shapes.get(name, [])
    if len(outputs) != 1 or len(outputs[0]) != MAP_DIMENSIONS:
        raise AttributionError(
            f"Method 'grad_cam' needs a layer that is called once and puts out (channels, height, "
            f"width); layer {name!r} is called {len(outputs)} times and puts out "
            f"{outputs[0] if outputs else 'nothing'}. 'input-iba layers CONFIG' lists layers with "
            "their shapes."
        )
    return layer


def _is_map(shape: tuple[int, ...]) -> bool:
    return len(shape) == MAP_DIMENSIONS and shape[1] * shape[2] > 1
