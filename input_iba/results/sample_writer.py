"""What a work directory keeps of one sample: masks as values, previews, pictures, a record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from input_iba.drawing import (
    colourise,
    heat_of,
    highlighted_page,
    overlay,
    percent,
    scale_to_peak,
    scale_to_range,
    show,
    strip,
    to_8_bits,
)
from input_iba.records import (
    Attribution,
    Explanation,
    ImageSample,
    Sample,
    TextSample,
    merge_pieces,
)
from input_iba.results import SampleRecord, write_image, write_mask, write_text
from input_iba.results.mask_settings import MaskSettings

DIGITS = 6
"""Significant digits of losses in a record."""


class SampleWriter:
    """Saves attributions under file names that no two samples share.

    Args:
        root: The work directory.
        feature_mask: How feature masks are saved and shown.
        input_mask: How input masks are.
        names: From sample id to file name, for the whole data set.
        class_names: Names of the classes, or None.
        class_folders: From class name to the sub-folder of its files; None for no sub-folders.
    """

    def __init__(
        self,
        root: Path,
        feature_mask: MaskSettings,
        input_mask: MaskSettings,
        names: Mapping[str, str],
        class_names: Sequence[str] | None,
        class_folders: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root
        self.feature_mask = feature_mask
        self.input_mask = input_mask
        self.names = names
        self.class_names = class_names
        self.class_folders = class_folders

    def save(self, sample: Sample, found: Explanation) -> SampleRecord:
        """Write all files of a sample and return its record, which the caller then logs."""
        place = self._place(found)
        files: dict[str, str] = {}
        masks = {"input_mask": found.input_mask}
        if isinstance(found, Attribution):
            masks["feature_mask"] = (
                found.feature_mask if self.feature_mask.upscale else found.feature_capacity
            )
            masks["prior_mask"] = found.prior_mask
        text = (sample.tokens, sample.text, sample.spans) if isinstance(sample, TextSample) else ()
        values = {kind: self._values(kind, mask, sample) for kind, mask in masks.items()}
        feature = values.get("feature_mask")
        for kind, mask in values.items():
            files[kind] = f"{_VALUES[kind]}/{place}.npz"
            write_mask(self.root / files[kind], mask, *text)
        pictures: dict[str, NDArray[np.uint8]] = {}
        if isinstance(sample, TextSample):
            files["highlights"] = f"highlights/{place}.html"
            page = self._highlights(sample, found, values)
            write_text(self.root / files["highlights"], page)
            pictures = self._strips(sample, values)
        elif isinstance(sample, ImageSample):
            pictures = self._pictures(sample, found, masks.get("feature_mask"))
        for kind, pixels in pictures.items():
            file = f"{PICTURE_PLACES[kind][0]}/{place}{PICTURE_PLACES[kind][1]}"
            write_image(self.root / file, pixels)
            files[kind] = file
        return SampleRecord(
            id=found.id,
            status="done",
            path=sample.path,
            target=found.target,
            class_name=self.class_name(found.target),
            target_probability=_finite(found.target_probability),
            prediction=found.prediction,
            predicted_class_name=self.class_name(found.prediction),
            prediction_probability=_finite(found.prediction_probability),
            top_classes=[[self.class_name(i), round(share, 8)] for i, share in found.top],
            feature_peak=None if feature is None else _finite(float(feature.max())),
            peak=float(f"{found.peak:.8g}"),
            seconds={stage: round(value, 3) for stage, value in found.seconds.items()},
            files=files,
            losses={name: _rounded(values) for name, values in found.losses.items()},
            seed=found.seed,
        )

    def class_name(self, index: int | None) -> str:
        """Return the name of a class, or its number where it has no name."""
        if index is None:
            return ""
        if self.class_names is not None and index < len(self.class_names):
            return self.class_names[index]
        return f"class {index}"

    def _place(self, found: Explanation) -> str:
        """Return the path below a masks folder, without extension."""
        name = self.names[found.id]
        if self.class_folders is None:
            return name
        label = self.class_name(found.prediction if found.target is None else found.target)
        return f"{self.class_folders.get(label, label)}/{name}"

    def _values(self, kind: str, mask: Tensor, sample: Sample) -> NDArray[np.float32]:
        """Return a mask as it is saved: one value per pixel, or per word."""
        if not isinstance(sample, TextSample):
            return array(mask)
        settings = self.feature_mask if kind == "feature_mask" else self.input_mask
        return array(merge_pieces(mask, sample.words, settings.merge))

    def _highlights(
        self, sample: TextSample, found: Explanation, values: Mapping[str, NDArray[np.float32]]
    ) -> str:
        facts = {
            "Class": self.class_name(found.target),
            "Probability": percent(_finite(found.target_probability)),
            "Classifier prefers": self.class_name(found.prediction),
        }
        titles = {"input_mask": "Input mask", "feature_mask": "Feature mask (bits per word)"}
        masks = {title: values[kind] for kind, title in titles.items() if kind in values}
        return highlighted_page(sample.id, facts, sample.shown, masks)

    def _strips(
        self, sample: Sample, values: Mapping[str, NDArray[np.float32]]
    ) -> dict[str, NDArray[np.uint8]]:
        """Draw the previews of a text's masks."""
        strips = {"input_mask_png": strip(_around_grey(values["input_mask"]))}
        if "feature_mask" in values:
            strips["feature_mask_png"] = strip(scale_to_peak(values["feature_mask"]))
        self._show(sample.id, strips)
        return strips

    def _pictures(
        self, sample: ImageSample, found: Explanation, feature: Tensor | None
    ) -> dict[str, NDArray[np.uint8]]:
        """Make the pictures of a sample: previews in grey, renderings in colour."""
        values = array(found.input_mask)
        hot = heat_of(values)
        photograph = sample.image.permute(1, 2, 0).contiguous().numpy()
        if photograph.shape[2] == 1:
            photograph = photograph.repeat(3, axis=2)
        colours = self.input_mask.colour_map
        pictures = {
            "input_mask_png": to_8_bits(_around_grey(values)),
            "input_mask_picture": colourise(scale_to_range(values), colours),
            "photograph": photograph,
            "overlay": overlay(photograph, hot, colours),
            "heat": to_8_bits(hot),
        }
        if isinstance(found, Attribution):
            prior = scale_to_range(array(found.prior_mask))
            pictures["prior_mask_picture"] = colourise(prior, colours)
        if feature is not None:
            capacity = scale_to_peak(array(feature))
            pictures["feature_mask_png"] = to_8_bits(capacity)
            pictures["feature_mask_picture"] = colourise(capacity, self.feature_mask.colour_map)
        self._show(sample.id, pictures)
        return pictures

    def _show(self, id_: str, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        wanted = {
            "feature mask": (self.feature_mask.show, "feature_mask"),
            "input mask": (self.input_mask.show, "input_mask"),
        }
        chosen = {
            f"{title} of {id_}": pictures[name]
            for title, (on, kind) in wanted.items()
            for name in [f"{kind}_picture" if f"{kind}_picture" in pictures else f"{kind}_png"]
            if on and name in pictures
        }
        if chosen:
            show(chosen)


_VALUES = {"input_mask": "input_masks", "feature_mask": "feat_masks", "prior_mask": "prior_masks"}
"""Folder of each mask."""

PICTURE_PLACES = {
    "input_mask_png": ("input_masks", ".png"),
    "input_mask_picture": ("input_masks", ".JPEG"),
    "feature_mask_png": ("feat_masks", ".png"),
    "feature_mask_picture": ("feat_masks", ".JPEG"),
    "photograph": ("images", ".jpg"),
    "overlay": ("overlays", ".jpg"),
    "heat": ("overlays", ".png"),
    "prior_mask_picture": ("prior_masks", ".JPEG"),
}
"""Folder and extension of each picture."""


def array(values: Tensor) -> NDArray[np.float32]:
    """Return a tensor as a float32 array on the CPU."""
    result: NDArray[np.float32] = values.detach().cpu().float().numpy()
    return result


def _around_grey(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Let what speaks against the target, if anything does, be darker than middle grey."""
    return (values + 1) / 2 if bool((values < 0).any()) else values


def _finite(value: float) -> float | None:
    return round(value, 8) if math.isfinite(value) else None


def _rounded(values: Tensor) -> list[Any]:
    return [
        float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
        for value in values.flatten().tolist()
    ]
