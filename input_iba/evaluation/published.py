"""The classes with the published calls, which score one image at a time.

Their arguments are those of the functions that they name. Classifiers are in eval mode meanwhile,
and given back as they were; maps are never changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.explainable import device_of, weights_dtype
from input_iba.core.maps import as_map
from input_iba.core.modes import frozen
from input_iba.core.outputs import select_logits
from input_iba.evaluation.degradation import degradation
from input_iba.evaluation.ehr import effective_heat_ratios
from input_iba.evaluation.insertion_deletion import insert_and_delete
from input_iba.evaluation.regions import box_mask
from input_iba.evaluation.sensitivity_n import SensitivityN, sum_and_drop
from input_iba.evaluation.sets import random_sets
from input_iba.evaluation.tiles import tile_ranks
from input_iba.modality.units import Pixels

Heat = ArrayLike | Tensor
"""A map: (H, W), or (T,) or (1, T) of a text."""


@dataclass(eq=False)
class EffectiveHeatRatios:
    """Heat in a region among the hottest points; see `effective_heat_ratios`.

    >>> heat = np.zeros((10, 10))
    >>> heat[2:6, 3:7] = 1.0
    >>> round(EffectiveHeatRatios().evaluate(heat, (3, 2, 7, 6))["auc"], 6)
    1.0
    """

    base_threshold: float = 0.1

    def evaluate(
        self,
        heatmap: Heat,
        roi: ArrayLike | Tensor,
        return_curve: bool = False,
        weight_by_heat: bool = True,
    ) -> dict[str, Any]:
        """Score one map; `roi` is a box (x1, y1, x2, y2), several of them, or a binary mask (H, W).

        Returns:
            `auc`, a float; with the curve also `quantiles` and `ratios`, arrays (11,).
        """
        heat = as_map(heatmap)
        region = _region(roi, (heat.shape[0], heat.shape[1]))[None]
        found = effective_heat_ratios(heat[None], region, self.base_threshold, weight_by_heat)
        result: dict[str, Any] = {"auc": found.area.item()}
        if return_curve:
            result |= {"quantiles": found.quantiles.numpy(), "ratios": found.ratios[0].numpy()}
        return result


@dataclass(eq=False)
class VisionInsertionDeletion:
    """Insertion and deletion of pixels; see `insert_and_delete`."""

    classifier: nn.Module
    pixel_batch_size: int = 10
    sigma: float = 5.0
    internal_batch_size: int = 32
    blur_radius: int | None = None

    def evaluate(self, heatmap: Heat, input_tensor: Tensor, target: int) -> dict[str, Any]:
        """Score one map of a normalised input (C, H, W) or (1, C, H, W).

        Returns:
            `ins_scores` and `del_scores`, arrays (T,) of the target's probability after every
            step; `ins_auc` and `del_auc`; `ins_input` and `del_input`, the last inputs, (C, H, W).
        """
        pixels = _pixels(self.classifier, input_tensor)
        with frozen(self.classifier):
            found = insert_and_delete(
                pixels,
                as_map(heatmap)[None],
                [int(target)],
                self.pixel_batch_size,
                self.sigma,
                self.blur_radius,
                internal_batch_size=self.internal_batch_size,
            )
        image = pixels.inputs[0]
        return {
            "del_scores": found.deletion[0].numpy(),
            "ins_scores": found.insertion[0].numpy(),
            "del_input": torch.zeros_like(image),
            "ins_input": image.clone(),
            "ins_auc": found.insertion_auc.item(),
            "del_auc": found.deletion_auc.item(),
        }


@dataclass(eq=False)
class VisionSensitivityN:
    """Sensitivity-N of pixels, with the same sets for every image; see `sum_and_drop`."""

    classifier: nn.Module
    input_size: tuple[int, int]
    n: int
    num_masks: int = 100
    seed: int = 0
    internal_batch_size: int = 32

    def __post_init__(self) -> None:
        self.sets = random_sets(tuple(self.input_size), self.n, self.num_masks, self.seed)

    def evaluate(
        self, heatmap: Heat, input_tensor: Tensor, target: int, calculate_corr: bool = False
    ) -> dict[str, Any]:
        """Score one map of a normalised input (C, H, W) or (1, C, H, W).

        Returns:
            `score_diffs`, what the target's logit loses, and `sum_attributions`, arrays (M,);
            `correlation`, a float, or None without `calculate_corr`.
        """
        pixels, heats = _pixels(self.classifier, input_tensor), as_map(heatmap)[None]
        with frozen(self.classifier):
            found = sum_and_drop(pixels, heats, [int(target)], self.sets, self.internal_batch_size)
        return as_published(found, calculate_corr)


@dataclass(eq=False)
class Degradation:
    """Degradation of images that are explained for one class; see `degradation`.

    `store_imgs` asks for the image after every step, `batch` is the internal batch size.
    """

    model: nn.Module
    target: int
    tile_size: int | tuple[int, int]
    store_imgs: bool = False
    batch: int = 8

    def evaluate(self, heatmap: Heat, image: Tensor) -> dict[str, Any]:
        """Score one map of a normalised input (C, H, W) or (1, C, H, W).

        Returns:
            `MoRF_scores` and `LeRF_scores`, arrays (T,) of the target's probability before the
            first and after every tile, most and least relevant first; `MoRF_auc` and `LeRF_auc`;
            `MoRF_img` and `LeRF_img`, the last images, (C, H, W); `MoRF_img_history` and
            `LeRF_img_history`, those of all steps, (T, C, H, W), on the CPU, or None.
        """
        heats, pixels = as_map(heatmap)[None], _pixels(self.model, image)
        with frozen(self.model):
            classify, images, targets = pixels.classify, pixels.inputs, [int(self.target)]
            found = degradation(classify, images, heats, targets, self.tile_size, self.batch)
        end = torch.zeros_like(images[0])
        return {
            "MoRF_scores": found.morf[0].numpy(),
            "LeRF_scores": found.lerf[0].numpy(),
            "MoRF_auc": found.morf_auc.item(),
            "LeRF_auc": found.lerf_auc.item(),
            "MoRF_img": end,
            "LeRF_img": end.clone(),
            "MoRF_img_history": self._history(images, heats, least_first=False),
            "LeRF_img_history": self._history(images, heats, least_first=True),
        }

    def _history(self, images: Tensor, heats: Tensor, *, least_first: bool) -> Tensor | None:
        if not self.store_imgs:
            return None
        places = tile_ranks(heats, self.tile_size, least_first)
        steps = torch.arange(int(places.max()) + 2)[:, None, None]
        return images.cpu().masked_fill((places < steps)[:, None], 0)


def _region(roi: ArrayLike | Tensor, size: tuple[int, int]) -> Tensor:
    """Turn boxes or a mask into a mask (H, W); an array of the map's own shape is a mask."""
    if isinstance(roi, Sequence) and any(isinstance(box, Tensor) for box in roi):
        roi = [np.asarray(box) for box in roi]
    values = roi.detach().cpu() if isinstance(roi, Tensor) else torch.from_numpy(np.array(roi))
    if tuple(values.shape) == size:
        return values != 0
    return box_mask(values, *size)


def _pixels(classifier: nn.Module, image: Tensor) -> Pixels:
    """Return the pixels of one input, (C, H, W) or (1, C, H, W), where the classifier is."""
    dtype = weights_dtype(classifier)

    def classify(inputs: Tensor) -> Tensor:
        own = inputs if dtype is None else inputs.to(dtype)
        return select_logits(classifier(own), len(inputs))

    batch = image if image.ndim == 4 and len(image) == 1 else image[None]
    device = image.device if dtype is None else device_of(classifier)
    return Pixels(classify, batch.detach().to(device))


def as_published(found: SensitivityN, calculate_corr: bool) -> dict[str, Any]:
    """Return the first sample's values under the published keys."""
    return {
        "correlation": found.correlation[0].item() if calculate_corr else None,
        "score_diffs": found.drops[0].numpy(),
        "sum_attributions": found.sums[0].numpy(),
    }
