"""Images of masks for people: in grey and in colour, and over the image that was explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from input_iba.drawing import (
    colourise,
    heat_of,
    overlay,
    scale_to_peak,
    scale_to_range,
    strip,
    to_8_bits,
)
from input_iba.records import ImageSample

Values = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def previews(
    sample: ImageSample, masks: Mapping[str, Values], colours: Mapping[str, str], held: float
) -> dict[str, Pixels]:
    """Return previews in grey, and renderings in colour."""
    mask, chosen = masks["input_mask"], colours["input_mask"]
    heat = held * heat_of(masks.get("map", mask))
    image = sample.image.permute(1, 2, 0).contiguous().numpy()
    if image.shape[2] == 1:
        image = image.repeat(3, axis=2)
    images = {
        "input_mask_png": to_8_bits(_around_grey(mask)),
        "input_mask_picture": colourise(scale_to_range(mask), chosen),
        "photograph": image,
        "overlay": overlay(image, heat, chosen),
        "heat": to_8_bits(heat),
    }
    if "map" in masks:
        images["map_png"] = to_8_bits(scale_to_peak(masks["map"]))
    if "prior_mask" in masks:
        prior = scale_to_range(masks["prior_mask"])
        images["prior_mask_picture"] = colourise(prior, chosen)
    if "feature_mask" in masks:
        capacity = scale_to_peak(masks["feature_mask"])
        images["feature_mask_png"] = to_8_bits(capacity)
        images["feature_mask_picture"] = colourise(capacity, colours["feature_mask"])
    return images


def strips(masks: Mapping[str, Values]) -> dict[str, Pixels]:
    """Return the previews of a text's masks."""
    found = {"input_mask_png": strip(_around_grey(masks["input_mask"]))}
    bits = (kind for kind in ("map", "feature_mask") if kind in masks)
    return found | {f"{kind}_png": strip(scale_to_peak(masks[kind])) for kind in bits}


def _around_grey(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return values for a preview, in which what speaks against the target is below middle grey."""
    return (values + 1) / 2 if bool((values < 0).any()) else values
