"""Transforms by the names and keys that albumentations pipelines use, done by torchvision.

Each function returns a list of steps. `always_apply` overrules the probability `p`, as it does
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from input_iba.datasets.normalization import Numbers, Step, register
from input_iba.errors import ConfigError, closest

# OpenCV's numbers, which albumentations takes, beside torchvision's names.
INTERPOLATIONS: dict[Any, InterpolationMode] = {
    0: InterpolationMode.NEAREST,
    1: InterpolationMode.BILINEAR,
    2: InterpolationMode.BICUBIC,
    3: InterpolationMode.BOX,
    4: InterpolationMode.LANCZOS,
    **{mode.value: mode for mode in InterpolationMode},
}


def _with_probability(transform: Step, always_apply: bool, p: float) -> list[Step]:
    if always_apply or p >= 1:
        return [transform]
    return [v2.RandomApply([transform], p=p)]


def _interpolation(name: str | int) -> InterpolationMode:
    if name not in INTERPOLATIONS:
        raise ConfigError(
            f"Unknown interpolation {name!r}.{closest(str(name), map(str, INTERPOLATIONS))} "
            f"Known: {', '.join(map(repr, INTERPOLATIONS))}."
        )
    return INTERPOLATIONS[name]


@register("Resize")
def resize(
    height: int,
    width: int,
    interpolation: str | int = "bilinear",
    always_apply: bool = False,
    p: float = 1,
) -> list[Step]:
    """Resize to exactly height×width, smoothing when it shrinks."""
    resized = v2.Resize((height, width), _interpolation(interpolation))
    return _with_probability(resized, always_apply, p)


@register("SmallestMaxSize")
def smallest_max_size(
    max_size: int, interpolation: str | int = "bilinear", always_apply: bool = False, p: float = 1
) -> list[Step]:
    """Resize so that the shorter side has `max_size` pixels, keeping the proportions."""
    mode = _interpolation(interpolation)
    return _with_probability(v2.Resize([max_size], mode), always_apply, p)


@register("LongestMaxSize")
def longest_max_size(
    max_size: int, interpolation: str | int = "bilinear", always_apply: bool = False, p: float = 1
) -> list[Step]:
    """Resize so that the longer side has `max_size` pixels, keeping the proportions."""
    mode = _interpolation(interpolation)
    return _with_probability(_LongestTo(max_size, mode), always_apply, p)


@register("CenterCrop")
def center_crop(height: int, width: int, always_apply: bool = False, p: float = 1) -> list[Step]:
    """Cut out the middle height×width pixels; smaller images get a black margin."""
    return _with_probability(v2.CenterCrop((height, width)), always_apply, p)


@register("RandomCrop")
def random_crop(height: int, width: int, always_apply: bool = False, p: float = 1) -> list[Step]:
    """Cut out height×width pixels anywhere; smaller images get a black margin."""
    return _with_probability(v2.RandomCrop((height, width), pad_if_needed=True), always_apply, p)


@register("RandomResizedCrop")
def random_resized_crop(
    height: int,
    width: int,
    scale: tuple[float, float] = (0.08, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    interpolation: str | int = "bilinear",
    always_apply: bool = False,
    p: float = 1,
) -> list[Step]:
    """Cut out a random share `scale` of the area and resize it to height×width."""
    mode = _interpolation(interpolation)
    crop = v2.RandomResizedCrop((height, width), tuple(scale), tuple(ratio), mode)
    return _with_probability(crop, always_apply, p)


@register("PadIfNeeded")
def pad_if_needed(
    min_height: int, min_width: int, value: Numbers = 0, always_apply: bool = False, p: float = 1
) -> list[Step]:
    """Add a margin of 8-bit colour `value` up to min_height×min_width, the image centred."""
    return _with_probability(_PadTo(min_height, min_width, value), always_apply, p)


@dataclass(frozen=True)
class _PadTo:
    """Centres an image and its boxes on a canvas of at least the given size."""

    height: int
    width: int
    fill: Numbers

    def __call__(self, image: Any, boxes: Any) -> tuple[Any, Any]:
        rows, columns = max(self.height - image.height, 0), max(self.width - image.width, 0)
        left, top = columns // 2, rows // 2
        margins = [left, top, columns - left, rows - top]
        return functional.pad(image, margins, fill=self.fill), functional.pad(boxes, margins)


@dataclass(frozen=True)
class _LongestTo:
    """Resizes an image and its boxes so that the longer side has `size` pixels."""

    size: int
    mode: InterpolationMode

    def __call__(self, image: Any, boxes: Any) -> tuple[Any, Any]:
        scale = self.size / max(image.height, image.width)
        size = [max(1, round(image.height * scale)), max(1, round(image.width * scale))]
        return functional.resize(image, size, self.mode), functional.resize(boxes, size)


@register("HorizontalFlip")
def horizontal_flip(always_apply: bool = False, p: float = 0.5) -> list[Step]:
    """Mirror left and right."""
    return [v2.RandomHorizontalFlip(1.0 if always_apply else p)]


@register("VerticalFlip")
def vertical_flip(always_apply: bool = False, p: float = 0.5) -> list[Step]:
    """Mirror top and bottom."""
    return [v2.RandomVerticalFlip(1.0 if always_apply else p)]


@register("ColorJitter")
def color_jitter(
    brightness: Numbers = 0.2,
    contrast: Numbers = 0.2,
    saturation: Numbers = 0.2,
    hue: Numbers = 0.2,
    always_apply: bool = False,
    p: float = 0.5,
) -> list[Step]:
    """Change brightness, contrast, saturation and hue at random."""
    jitter = v2.ColorJitter(brightness, contrast, saturation, hue)
    return _with_probability(jitter, always_apply, p)
