"""What a work directory keeps of one sample: masks as values, previews, images, a record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from input_iba.drawing import COLOUR_MAP, check_colour_map, highlighted_page, percent, show
from input_iba.records import (
    MERGES,
    Attribution,
    Explanation,
    ImageSample,
    Sample,
    TextSample,
    shown_at,
)
from input_iba.results import SampleRecord, write_image, write_mask, write_text
from input_iba.results.previews import Pixels, Values, previews, strips
from input_iba.settings import Settings, setting

DIGITS = 6
"""Significant digits of losses in a record."""

FOLDERS = {
    "map": "maps",
    "input_mask": "input_masks",
    "feature_mask": "feat_masks",
    "prior_mask": "prior_masks",
}
"""Folder of the map and of each mask."""

IMAGE_PLACES = {
    "map_png": ("maps", ".png"),
    "input_mask_png": ("input_masks", ".png"),
    "input_mask_picture": ("input_masks", ".JPEG"),
    "feature_mask_png": ("feat_masks", ".png"),
    "feature_mask_picture": ("feat_masks", ".JPEG"),
    "photograph": ("images", ".jpg"),
    "overlay": ("overlays", ".jpg"),
    "heat": ("overlays", ".png"),
    "prior_mask_picture": ("prior_masks", ".JPEG"),
}
"""Folder and extension of each image, by its key in a record."""


@dataclass(frozen=True)
class MaskSettings(Settings):
    """How a mask is saved and shown."""

    upscale: bool = setting(
        True,
        "save the feature mask of an image at the input's resolution; else at the layer's (other "
        "masks have the input's in any case)",
    )
    show: bool = setting(
        False, "open a window with the mask where there is a display", changes_result=False
    )
    colour_map: str = setting(
        COLOUR_MAP,
        "colours of the JPEG, a name of matplotlib's; the published 'bwr' has white in the middle",
    )
    merge: str = setting("mean", "how the values of a word's pieces become one", choices=MERGES)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_colour_map(self.colour_map)


class SampleWriter:
    """Saves attributions in a work directory, other masks than that of features as `input_mask`.

    Args:
        names: From sample id to file name, for the whole data set.
        class_names: By class index; classes without names are numbered.
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
        self.settings = {"feature_mask": feature_mask, "input_mask": input_mask}
        self.names = names
        self.class_names = class_names or ()
        self.class_folders = class_folders

    def save(self, sample: Sample, found: Explanation) -> SampleRecord:
        """Write all files of a sample and return its record, which the caller then logs."""
        place = self._place(found)
        masks = {kind: self._values(kind, mask, sample) for kind, mask in self._masks(found)}
        files = {kind: f"{FOLDERS[kind]}/{place}.npz" for kind in masks}
        images: dict[str, Pixels] = {}
        text: dict[str, Any] = {}
        if isinstance(sample, TextSample):
            text = {"tokens": sample.tokens, "text": sample.text, "spans": sample.spans}
        for kind, mask in masks.items():
            key = "map" if kind == "map" else "mask"
            write_mask(self.root / files[kind], mask, key=key, **text)
        if isinstance(sample, TextSample):
            files["highlights"] = f"highlights/{place}.html"
            write_text(self.root / files["highlights"], self._highlights(sample, found, masks))
            images = strips(masks)
        elif isinstance(sample, ImageSample):
            colours = {kind: said.colour_map for kind, said in self.settings.items()}
            images = previews(sample, masks, colours, shown_at(found.held))
        self._show(sample.id, images)
        for kind, pixels in images.items():
            folder, extension = IMAGE_PLACES[kind]
            files[kind] = f"{folder}/{place}{extension}"
            write_image(self.root / files[kind], pixels)
        feature, answer = masks.get("feature_mask"), masks.get("map")
        return SampleRecord(
            id=found.id,
            status="done",
            path=sample.path,
            target=found.target,
            class_name=found.asked or self.class_name(found.target),
            target_probability=_finite(found.target_probability),
            prediction=found.prediction,
            predicted_class_name=self.class_name(found.prediction),
            prediction_probability=_finite(found.prediction_probability),
            top_classes=[[self.class_name(i), round(share, 8)] for i, share in found.top],
            warning=found.warning,
            verdict=found.belief.verdict,
            verdict_reason=found.belief.reason,
            checks={}
            if found.checks is None
            else {key: _finite(x) for key, x in asdict(found.checks).items()},
            map_bits=None if answer is None else _finite(float(answer.sum(dtype=np.float64))),
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
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"

    def _place(self, found: Explanation) -> str:
        """Return the path below a masks folder, without extension."""
        name = self.names[found.id]
        if self.class_folders is None:
            return name
        # Answers that are not classes have one folder together.
        index = found.prediction if found.target is None else found.target
        label = "any" if index is None else self.class_name(index)
        return f"{self.class_folders.get(label, label)}/{name}"

    def _masks(self, found: Explanation) -> list[tuple[str, Tensor]]:
        masks = [("input_mask", found.input_mask)]
        if isinstance(found, Attribution):
            upscale = self.settings["feature_mask"].upscale
            feature = found.feature_mask if upscale else found.feature_capacity
            behind = [("feature_mask", feature), ("prior_mask", found.prior_mask)]
            masks = [("map", found.map), *masks, *behind]
        return masks

    def _values(self, kind: str, mask: Tensor, sample: Sample) -> Values:
        """Return a mask as it is saved: one value per pixel, or per word."""
        settings = self.settings.get(kind, self.settings["input_mask"])
        mask = sample.per_unit(mask, Attribution.merge if kind == "map" else settings.merge)
        values: Values = mask.detach().cpu().float().numpy()
        return values

    def _highlights(
        self, sample: TextSample, found: Explanation, masks: Mapping[str, Values]
    ) -> str:
        facts = {
            "Asked" if found.asked else "Class": found.asked or self.class_name(found.target),
            "Probability": percent(_finite(found.target_probability)),
        }
        if found.prediction is not None:
            facts["Classifier prefers"] = self.class_name(found.prediction)
        if found.warning:
            facts["Warning"] = found.warning
        facts["Believe this map?"] = f"{found.belief.verdict}: {found.belief.reason}"
        titles = {
            "map": "Map (bits per word)",
            "input_mask": "Input mask",
            "feature_mask": "Feature mask (bits per word)",
        }
        shown = {title: masks[kind] for kind, title in titles.items() if kind in masks}
        return highlighted_page(sample.id, facts, sample.shown, shown)

    def _show(self, id_: str, images: Mapping[str, Pixels]) -> None:
        """Open a window with the masks that are to be shown."""
        chosen = {}
        for kind, settings in self.settings.items():
            best = images.get(f"{kind}_picture", images.get(f"{kind}_png"))
            if settings.show and best is not None:
                chosen[f"{kind.replace('_', ' ')} of {id_}"] = best
        if chosen:
            show(chosen)


def _finite(value: float) -> float | None:
    return round(value, 8) if math.isfinite(value) else None


def _rounded(values: Tensor) -> list[Any]:
    return [
        float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
        for value in values.flatten().tolist()
    ]
