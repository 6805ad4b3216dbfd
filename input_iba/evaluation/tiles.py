"""Tiles of images: which pixels lie together, and in which order of heat they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from input_iba.errors import EvaluationError

if TYPE_CHECKING:
    from torch import Tensor


def tile_lines(size: tuple[int, int], tile_size: int | tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the row of tiles of each row of pixels, (H,), and the column of each column, (W,).

    Tiles are laid from the top left; those at the right and the bottom are cut where the size does
    not divide the image of `size` (H, W). Numbers are int64, on the CPU.

    Raises:
        EvaluationError: The tile has no pixels.

    >>> tile_lines((3, 5), 2)
    (tensor([0, 0, 1]), tensor([0, 0, 1, 1, 2]))
    """
    import torch

    height, width = (tile_size, tile_size) if isinstance(tile_size, int) else tile_size
    if height < 1 or width < 1:
        raise EvaluationError(f"A tile must be at least 1 pixel high and wide; got {tile_size!r}.")
    return torch.arange(size[0]) // height, torch.arange(size[1]) // width


def tile_sums(heats: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the heat (S, H, W) of each tile's pixels together, (S, R, C), float64.

    `rows`, (H,), and `columns`, (W,), ascend from 0; they are what `tile_lines` returns.
    """
    import torch

    rows, columns = rows.to(heats.device), columns.to(heats.device)
    count = (int(rows[-1]) + 1, int(columns[-1]) + 1)
    sums = heats.new_zeros(len(heats), count[0], heats.shape[2], dtype=torch.float64)
    sums = sums.index_add(1, rows, heats.double())
    return sums.new_zeros(len(heats), *count).index_add(2, columns, sums)


def tile_ranks(
    heats: Tensor, tile_size: int | tuple[int, int], least_first: bool = False
) -> Tensor:
    """Return each pixel's tile's place in the order of relevance, ties as in `ranks`.

    A tile is as relevant as the heat of its pixels together. Of finite heats (S, H, W) places are
    (S, H, W), int64, each 0 to the number of tiles − 1; tiles are those of `tile_lines`.

    Raises:
        EvaluationError: The tile has no pixels.

    >>> import torch
    >>> tile_ranks(torch.tensor([[[0.0, 0.5, 2.0], [0.0, 0.0, 0.0]]]), (2, 2))
    tensor([[[1, 1, 0],
             [1, 1, 0]]])
    """
    from input_iba.evaluation.ranks import ranks

    rows, columns = tile_lines((heats.shape[1], heats.shape[2]), tile_size)
    tiles = tile_sums(heats, rows, columns)
    return ranks(-tiles if least_first else tiles)[:, rows[:, None], columns]
