"""Boxes given as shares of the picture where pixels are expected."""

from __future__ import annotations

from torch import Tensor

REMEDY = "Multiply x by the picture's width and y by its height."


def in_shares(boxes: Tensor, width: int, height: int) -> Tensor:
    """Return which boxes are meant as shares of the picture, though they should be in pixels.

    Nothing that can be seen lies in a part of the first pixel. Whole numbers are that pixel.

    Args:
        boxes: (n, 4): x1, y1, x2, y2.
        width: Of the picture, in pixels.
        height: Likewise.

    Returns:
        (n,), bool.

    >>> import torch
    >>> in_shares(torch.tensor([[0.1, 0.2, 0.5, 1], [0, 0, 1, 1], [0.5, 0.5, 8, 9]]), 20, 20)
    tensor([ True, False, False])
    """
    within = ((boxes >= 0) & (boxes <= 1)).all(1)
    fractions = (boxes != boxes.round()).any(1)
    return within & fractions & (max(width, height) > 1)
