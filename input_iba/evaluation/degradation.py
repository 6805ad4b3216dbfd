"""Degradation: what the target loses tile by tile, most relevant tiles first and least first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.maps import as_map
from input_iba.core.modes import frozen
from input_iba.errors import EvaluationError
from input_iba.evaluation.hiding import (
    Classify,
    as_batch,
    check_samples,
    logits_from,
    replaced,
    scores_while_replacing,
)
from input_iba.evaluation.ranks import ranks


@dataclass(frozen=True)
class Degradations:
    """Scores of S maps after every tile, and the areas under them; float64, on the CPU.

    Attributes:
        shares: Share of the tiles removed after every step, (T,), 0 to 1.
        morf: Target probability, most relevant tiles first, (S, T).
        lerf: Target probability, least relevant tiles first, (S, T).
        morf_auc: Area under `morf` over `shares`, (S,); lower is better.
        lerf_auc: Area under `lerf` over `shares`, (S,); higher is better.
    """

    shares: Tensor
    morf: Tensor
    lerf: Tensor
    morf_auc: Tensor
    lerf_auc: Tensor

    @property
    def difference(self) -> Tensor:
        """Area between the two curves, (S,), in [−1, 1]; higher is better."""
        return self.lerf_auc - self.morf_auc


def tile_ranks(
    heats: Tensor, tile_size: int | tuple[int, int], least_first: bool = False
) -> Tensor:
    """Return each pixel's tile's place in the order of relevance, ties as in `ranks`.

    A tile is as relevant as the heat of its pixels together. Tiles are laid from the top left;
    those at the right and the bottom are cut where the size does not divide the picture.

    Args:
        heats: (S, H, W), finite.
        tile_size: Pixels per side, or height and width.
        least_first: Whether the least relevant tile has place 0.

    Returns:
        (S, H, W), int64, each 0 to the number of tiles − 1.

    Raises:
        EvaluationError: The tile has no pixels.

    >>> tile_ranks(torch.tensor([[[0.0, 0.5, 2.0], [0.0, 0.0, 0.0]]]), (2, 2))
    tensor([[[1, 1, 0],
             [1, 1, 0]]])
    """
    height, width = (tile_size, tile_size) if isinstance(tile_size, int) else tile_size
    if height < 1 or width < 1:
        raise EvaluationError(f"A tile is at least 1 pixel high and wide; got {tile_size!r}.")
    rows = torch.arange(heats.shape[1], device=heats.device) // height
    columns = torch.arange(heats.shape[2], device=heats.device) // width
    count = (int(rows[-1]) + 1, int(columns[-1]) + 1)
    sums = heats.new_zeros(len(heats), count[0], heats.shape[2], dtype=torch.float64)
    sums = sums.index_add(1, rows, heats.double())
    tiles = sums.new_zeros(len(heats), *count).index_add(2, columns, sums)
    return ranks(-tiles if least_first else tiles)[:, rows[:, None], columns]


def degradation(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    tile_size: int | tuple[int, int] = 8,
    rows: int = 32,
    use_softmax: bool = True,
) -> Degradations:
    """Score inputs while their tiles become 0, in both orders of relevance.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W); of a tile, only the sum counts.
        targets: Class indices, (S,).
        tile_size: Pixels per side of a tile, or its height and width.
        rows: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Returns:
        Scores after every tile, before the first one too, and areas by the trapezoid rule.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is no class.

    References:
        Ancona et al. 2018 (arXiv 1711.06104), section 4; Schulz et al. 2020, "Restricting the
        flow" (arXiv 2001.00396), section 4.3, which also scales the curves to [0, 1].
    """
    labels, zeros = check_samples(inputs, heats, targets), torch.zeros_like(inputs)
    curves = []
    for least_first in (False, True):
        places = tile_ranks(heats, tile_size, least_first).to(inputs.device)
        counts = torch.arange(int(places.max()) + 2)
        curves.append(
            scores_while_replacing(
                classify, inputs, zeros, places, counts, labels, rows, use_softmax
            )
        )
    shares = counts.double() / counts[-1]
    areas = (torch.trapezoid(curve, shares, dim=1) for curve in curves)
    return Degradations(shares, curves[0], curves[1], *areas)


class Degradation:
    """Degradation of images that are explained for one class.

    Args:
        model: The classifier; put into eval mode for each evaluation, and given back as it was.
        target: Class index.
        tile_size: Pixels per side of a tile, or its height and width.
        store_imgs: Whether to return the image after every step.
        batch: Inputs that the classifier sees at once.
    """

    def __init__(
        self,
        model: nn.Module,
        target: int,
        tile_size: int | tuple[int, int],
        store_imgs: bool = False,
        batch: int = 8,
    ) -> None:
        self.model = model
        self.target = target
        self.tile_size = tile_size
        self.store_imgs = store_imgs
        self.batch = batch

    def evaluate(self, heatmap: ArrayLike | Tensor, image: Tensor) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (H, W); it is not changed.
            image: Normalised input, (C, H, W) or (1, C, H, W).

        Returns:
            `MoRF_scores` and `LeRF_scores`, arrays (T,) of the target's probability before the
            first and after every tile, most and least relevant first; `MoRF_auc` and `LeRF_auc`,
            floats; `MoRF_img` and `LeRF_img`, the images after the last step, (C, H, W);
            `MoRF_img_history` and `LeRF_img_history`, those of all steps, (T, C, H, W), on the
            CPU, or None without `store_imgs`.

        Raises:
            EvaluationError: Map, image and target do not fit each other or the classifier.
        """
        heats, inputs = as_map(heatmap)[None], as_batch(self.model, image)
        with frozen(self.model):
            found = degradation(
                *(logits_from(self.model), inputs, heats, [int(self.target)]),
                tile_size=self.tile_size,
                rows=self.batch,
            )
        return {
            "MoRF_scores": found.morf[0].numpy(),
            "LeRF_scores": found.lerf[0].numpy(),
            "MoRF_auc": found.morf_auc.item(),
            "LeRF_auc": found.lerf_auc.item(),
            "MoRF_img": torch.zeros_like(inputs[0]),
            "LeRF_img": torch.zeros_like(inputs[0]),
            "MoRF_img_history": self._history(inputs, heats, least_first=False),
            "LeRF_img_history": self._history(inputs, heats, least_first=True),
        }

    def _history(self, inputs: Tensor, heats: Tensor, *, least_first: bool) -> Tensor | None:
        if not self.store_imgs:
            return None
        start, places = inputs.cpu(), tile_ranks(heats, self.tile_size, least_first)
        counts = torch.arange(int(places.max()) + 2)
        return replaced(start, torch.zeros_like(start), places, counts)
