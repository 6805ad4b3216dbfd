"""Sets of pixels or of words that Sensitivity-N removes: their sizes, and random draws of them."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

from input_iba.errors import EvaluationError

if TYPE_CHECKING:
    from torch import Tensor


def set_sizes(pixels: int, log_n_max: float = 4.5, log_n_ticks: float = 0.1) -> list[int]:
    """Return the sizes N of the sets: 10 to the power of 0, ticks, 2·ticks, … log_n_max, rounded.

    They ascend from 1 and stay below the number of pixels.

    Raises:
        EvaluationError: A number is out of its range.

    >>> set_sizes(60, log_n_max=2, log_n_ticks=0.5)
    [1, 3, 10, 32]
    """
    if pixels < 2 or log_n_max < 0 or log_n_ticks <= 0:
        raise EvaluationError(
            "Sizes of sets need at least 2 pixels, log_n_max ≥ 0 and log_n_ticks > 0; got "
            f"{pixels}, {log_n_max} and {log_n_ticks}."
        )
    ticks = int(log_n_max / log_n_ticks + 1e-9)  # 4.5 / 0.1 is a little less than 45
    sizes = {round(10 ** (tick * log_n_ticks)) for tick in range(ticks + 1)}
    return sorted(size for size in sizes if size < pixels)


def random_sets(size: tuple[int, ...], n: int, num_masks: int = 100, seed: int = 0) -> Tensor:
    """Draw M = `num_masks` sets of n pixels or words, (M, *size), bool, on the CPU.

    Every set of n is as likely as any other; `size` is H and W, or the number of words.

    Raises:
        EvaluationError: n is out of its range, or there are fewer than two sets.
    """
    import torch

    count = math.prod(size)
    if not 1 <= n < count:
        raise EvaluationError(
            f"Sets of n of {count} elements have 1 ≤ n < {count}; got n = {n}. All of them are one "
            "set only, which correlates with nothing: choose a smaller n, or leave it out."
        )
    if num_masks < 2:
        raise EvaluationError(f"A correlation needs num_masks ≥ 2; got {num_masks!r}.")
    draws = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{n}".encode()))
    sets = torch.zeros(num_masks, count, dtype=torch.bool)
    for row in sets:
        row[torch.randperm(count, generator=draws)[:n]] = True
    return sets.view(num_masks, *size)


def random_words(scored: Tensor, n: int, num_masks: int = 100, seed: int = 0) -> Tensor:
    """Draw sets of n of the positions (T,) of a text that are `scored`, (M, T), bool.

    Raises:
        EvaluationError: n is out of its range, or there are fewer than two sets.
    """
    positions = scored.cpu().nonzero().flatten()
    drawn = random_sets((len(positions),), n, num_masks, seed)
    sets = drawn.new_zeros(num_masks, len(scored))
    sets[:, positions] = drawn
    return sets
