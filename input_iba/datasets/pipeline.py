"""From a list of transforms in a config to one function of an image and its boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional

from input_iba.datasets import transforms  # noqa: F401  # registers the transforms
from input_iba.datasets.normalization import Normalize
from input_iba.errors import ConfigError
from input_iba.registry import TRANSFORMS, build

PipelineConfig = Sequence[Mapping[str, Any]]


class Pipeline:
    """Transforms of an image, its boxes following it.

    Whatever moves or crops is done first and on 8-bit pixels, conversion to a tensor and
    normalisation last, wherever they stand in the list: so the image that people look at and
    the input that the classifier sees always show the same pixels. Without Normalize, inputs lie
    in [0, 1].

    Args:
        config: Transforms as plain data, each with `type` and its keys.

    Attributes:
        normalize: The normalisation, or None.
        spatial: All other steps, in their order.

    Raises:
        ConfigError: A transform or a key is unknown, or there are two normalisations.

    >>> pipeline = Pipeline([dict(type="Resize", height=4, width=6), dict(type="ToTensorV2")])
    >>> inputs, image, boxes = pipeline(Image.new("RGB", (3, 2)), torch.tensor([[0, 0, 1, 2]]))
    >>> inputs.shape, image.dtype, boxes.tolist()
    (torch.Size([3, 4, 6]), torch.uint8, [[0.0, 0.0, 2.0, 4.0]])
    """

    def __init__(self, config: PipelineConfig) -> None:
        if isinstance(config, str | Mapping) or not isinstance(config, Sequence):
            raise ConfigError(
                "A pipeline is a list of transforms, such as [dict(type='Resize', height=224, "
                f"width=224), dict(type='ToTensorV2')]; got {config!r}."
            )
        self.config = [dict(entry) if isinstance(entry, Mapping) else entry for entry in config]
        self.normalize: Normalize | None = None
        self.spatial: list[Callable[[Any, Any], tuple[Any, Any]]] = []
        for entry in self.config:
            for step in build(TRANSFORMS, entry):
                if not isinstance(step, Normalize):
                    self.spatial.append(step)
                elif self.normalize is None:
                    self.normalize = step
                else:
                    raise ConfigError(
                        "A pipeline can normalise once; got two. Remove Normalize beside "
                        "TorchvisionPreset, or one of two Normalize."
                    )

    def __call__(
        self, image: Image.Image, boxes: Tensor | None = None, seed: int = 0
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Transform an RGB or grey image with boxes (n, 4), x1, y1, x2, y2 in its pixels, or None.

        Returns:
            The input (C, H, W), float32; the image before normalisation (3, H, W), uint8; and
            the boxes in its pixels, float32. Boxes that a crop removed are left out.
        """
        image, boxes = self._move(image, boxes, seed)
        pixels = functional.pil_to_tensor(image)
        inputs = pixels.float() / 255
        if self.normalize is not None:
            inputs = self.normalize(inputs)
        return inputs, pixels.expand(3, -1, -1).contiguous(), boxes

    def moved(self, region: Tensor, seed: int = 0) -> Tensor:
        """Return where a region (H, W), bool, of an image lies once that is transformed by a seed.

        >>> pipeline = Pipeline([dict(type="CenterCrop", height=2, width=2)])
        >>> pipeline.moved(torch.eye(4, dtype=torch.bool)).int().tolist()
        [[1, 0], [0, 1]]
        """
        image = Image.new("L", (region.shape[-1], region.shape[-2]))
        _, found = self._track(image, tv_tensors.Mask(region.byte()), seed)
        inside: Tensor = found.as_subclass(Tensor) != 0
        return inside

    def _move(
        self, image: Image.Image, boxes: Tensor | None, seed: int
    ) -> tuple[Image.Image, Tensor | None]:
        if not self.spatial:
            return image, None if boxes is None else boxes.float()
        size = (image.height, image.width)
        known = torch.zeros(0, 4) if boxes is None else boxes.float()
        tracked: Any = tv_tensors.BoundingBoxes(known, format="XYXY", canvas_size=size)
        image, tracked = self._track(image, tracked, seed)
        if boxes is None:
            return image, None
        moved = functional.clamp_bounding_boxes(tracked).as_subclass(Tensor)
        seen = (moved[:, 2] > moved[:, 0]) & (moved[:, 3] > moved[:, 1])
        return image, moved[seen]

    def _track(self, image: Image.Image, tracked: Any, seed: int) -> tuple[Image.Image, Any]:
        """Move an image, and boxes or a region with it."""
        # torchvision draws from the global generator: seed it per sample, leave it as it was.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            for transform in self.spatial:
                image, tracked = transform(image, tracked)
        return image, tracked
