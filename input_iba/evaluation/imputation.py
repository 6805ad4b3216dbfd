"""Noisy linear imputation: removed pixels become what their neighbours say, and a little noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.modality.units import Pixels, chosen

WEIGHTS = {(0, 1): 1 / 6, (1, 0): 1 / 6, (1, 1): 1 / 12, (1, -1): 1 / 12}
"""Of half of the neighbours, by steps down and to the right; the others are opposite to them."""


def impute(images: Tensor, removed: Tensor) -> Tensor:
    """Return images whose removed pixels are the weighted means of their neighbours.

    Neighbours are removed pixels, too, so that all of an image are found at once, as the solution
    of a sparse linear system. Direct neighbours weigh 1/6 and diagonal ones 1/12; at the border
    the weights of those that exist are scaled to a sum of 1.

    Args:
        images: (B, C, H, W).
        removed: Which pixels of each, (B, H, W), bool.

    Raises:
        EvaluationError: Nothing is left of an image.

    References:
        Rong et al. 2022, "A consistent and efficient evaluation strategy for attribution methods"
        (arXiv 2202.00449), section 4.3 and appendix.
    """
    size = tuple(images.shape[-2:])
    if not bool((~removed).flatten(1).any(1).all()):
        raise EvaluationError(
            "All pixels of an image are removed, so nothing says what they could have been. "
            "Remove a smaller share."
        )
    values = images.detach().cpu().double().flatten(2).numpy()
    gone = removed.cpu().flatten(1).numpy()
    found = np.stack([_imputed(v, g, size) for v, g in zip(values, gone, strict=True)])
    return torch.from_numpy(found).view_as(images).to(images)


def _imputed(
    values: NDArray[np.float64], removed: NDArray[np.bool_], size: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return values (C, P) of which the removed, (P,), are imputed."""
    if not removed.any():
        return values
    rows = _laplacian(size[0], size[1])[removed]
    known = -(rows[:, ~removed] @ values[:, ~removed].T)
    # Symmetric and positive definite, which spares pivoting and lets less of it fill up.
    solver = splu(
        rows[:, removed].tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0,
        options={"SymmetricMode": True},
    )
    imputed: NDArray[np.float64] = values.copy()
    imputed[:, removed] = solver.solve(known).T
    return imputed


@lru_cache(maxsize=8)
def _laplacian(height: int, width: int) -> Any:
    """Return the sparse matrix (P, P) of differences between pixels and their neighbours.

    Its product with values is, for each pixel, Σ w·(own value − neighbour's value).
    """
    numbers = np.arange(height * width).reshape(height, width)
    ends, weights = [], []
    for (down, right), weight in WEIGHTS.items():
        here = numbers[: height - down, max(0, -right) : width - max(0, right)].ravel()
        there = numbers[down:, max(0, right) : width + min(0, right)].ravel()
        ends += [np.stack([here, there]), np.stack([there, here])]
        weights += [np.full(2 * len(here), weight)]
    pairs = np.concatenate(ends, axis=1)
    of_pairs = sparse.csr_array(
        (np.concatenate(weights), (pairs[0], pairs[1])), shape=(numbers.size, numbers.size)
    )
    return sparse.csr_array(sparse.diags_array(of_pairs.sum(1)) - of_pairs)


@dataclass(frozen=True)
class ImputedPixels(Pixels):
    """Pixels, which are imputed where they are hidden.

    Attributes:
        noise: What is added to hidden pixels, (S, C, H, W); the same for all maps of an image, so
            that they are compared under the same draw.
    """

    noise: Tensor | None = None

    def logits(self, of: Tensor, hidden: Tensor) -> Tensor:
        """Classify images of which some pixels are imputed; see `Units`."""
        removed = hidden.view(-1, *self.size)
        images = chosen(self.inputs, of).expand(len(of), -1, -1, -1)
        found = impute(images, removed)
        if self.noise is not None:
            found = found + removed[:, None] * chosen(self.noise, of)
        return self.classify(found)


def drawn_noise(inputs: Tensor, deviation: float, seeds: list[int]) -> Tensor:
    """Draw Gaussian noise (S, C, H, W) for inputs of this shape, from a seed for each of them."""
    draws = [
        torch.randn(inputs.shape[1:], generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    return deviation * torch.stack(draws).to(inputs)
