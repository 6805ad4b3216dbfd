"""The end of every pipeline: which values the classifier sees for an 8-bit image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor
from torchvision import models
from torchvision.transforms import v2

from input_iba.errors import ConfigError, closest
from input_iba.registry import TRANSFORMS, check_keys

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
Numbers: TypeAlias = float | Sequence[float]


@dataclass(frozen=True)
class Normalize:
    """Maps pixels (…, C, H, W) in [0, 1] to (pixel − mean) / std, of 1 or C values both."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return the normalised pixels."""
        channels = pixels.shape[-3]
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise ConfigError(
                    f"Normalize: inputs have {channels} channel(s), `{name}` has {len(values)} "
                    "values. Give one per channel, or set the data set's `channels`."
                )
        mean, std = (pixels.new_tensor(v).view(-1, 1, 1) for v in (self.mean, self.std))
        return (pixels - mean) / std


Step: TypeAlias = Normalize | Callable[[Any, Any], tuple[Any, Any]]
"""Normalize, or a function that moves or recolours an 8-bit image and moves its boxes."""

Builder: TypeAlias = Callable[..., list[Step]]


def register(*names: str) -> Callable[[Builder], Builder]:
    """Register a function, which makes steps from a config's keys, by the names pipelines use."""

    def add(builder: Builder) -> Builder:
        for name in names:
            TRANSFORMS.register_module(name=name, module=builder)
        return builder

    return add


@register("Normalize")
def build_normalize(
    mean: Numbers = IMAGENET_MEAN,
    std: Numbers = IMAGENET_STD,
    max_pixel_value: float = 255.0,
    always_apply: bool = False,
    p: float = 1.0,
) -> list[Step]:
    """Map 8-bit pixels to (pixel − mean·max_pixel_value) / (std·max_pixel_value)."""
    if p < 1 and not always_apply:
        raise ConfigError(
            f"Normalize with probability p={p} would show the classifier inputs of two kinds. "
            "Set p=1."
        )
    share = max_pixel_value / 255
    means, stds = _numbers(mean, "mean"), _numbers(std, "std")
    if not all(value > 0 for value in (*stds, max_pixel_value)):
        raise ConfigError(
            f"Normalize: `std` and `max_pixel_value` must be positive; got {std!r} and "
            f"{max_pixel_value!r}."
        )
    return [Normalize(tuple(m * share for m in means), tuple(s * share for s in stds))]


def _numbers(value: Numbers, name: str) -> tuple[float, ...]:
    values = value if isinstance(value, Sequence) else [value]
    if not values or not all(isinstance(v, int | float) for v in values):
        raise ConfigError(f"Normalize: `{name}` is a number or one per channel; got {value!r}.")
    return tuple(float(v) for v in values)


@register("ToTensor", "ToTensorV2")
def to_tensor(
    normalize: Mapping[str, Any] | None = None,
    transpose_mask: bool = False,
    always_apply: bool = True,
    p: float = 1.0,
) -> list[Step]:
    """Mark the end of the pipeline; `mean` and `std` in `normalize` alone have an effect."""
    if normalize is None:
        return []
    check_keys(normalize, {"mean", "std"}, "`normalize` of ToTensor")
    return build_normalize(**normalize)


@register("TorchvisionPreset")
def torchvision_preset(weights: str) -> list[Step]:
    """Resize, crop and normalise as the named weights of torchvision were meant to be used."""
    try:
        entry = models.get_weight(weights)
    except (ValueError, AttributeError, KeyError) as error:
        known = [
            f"{models.get_model_weights(name).__name__}.{member}"
            for name in models.list_models(module=models)
            for member in models.get_model_weights(name).__members__
        ]
        raise ConfigError(
            f"torchvision has no weights {weights!r}.{closest(weights, known)} Expected a name "
            "such as 'ResNet50_Weights.IMAGENET1K_V2'."
        ) from error
    preset = entry.transforms()
    return [
        v2.Resize(preset.resize_size, preset.interpolation, antialias=preset.antialias),
        v2.CenterCrop(preset.crop_size),
        Normalize(tuple(preset.mean), tuple(preset.std)),
    ]
