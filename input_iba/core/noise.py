"""Random numbers that depend on the sample alone, never on its neighbours in a batch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor


def sample_seed(seed: int, sample_id: str, stage: str) -> int:
    """Return the seed of one stage of one sample, the same on every machine.

    >>> sample_seed(0, "coffee", "prior") == sample_seed(0, "coffee", "prior")
    True
    """
    # A file's name may hold bytes that are not UTF-8, which Python keeps as surrogates.
    text = f"{seed}/{sample_id}/{stage}".encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@contextmanager
def seeded_globally(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators, which other packages draw from, and restore them afterwards.

    >>> with seeded_globally(0, torch.device("cpu")):
    ...     one = torch.rand(1)
    >>> with seeded_globally(0, torch.device("cpu")):
    ...     bool(torch.rand(1) == one)
    True
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


class NoiseSource:
    """One random generator per sample, seeded by (seed, sample id, stage).

    Batch size, order and number of processes therefore never change a sample's numbers.

    Args:
        ids: Ids of the S samples.
        seed: Seed of the run.
        stage: Name of the stage that draws.
        device: Where the numbers are drawn and stay.
        dtype: Their floating-point type.
        lengths: Tokens of every sample, (S,), where samples are texts padded to one length. Then
            normal numbers are (S, draws, T, …), those that the sample would get without the
            padding, and 0 where that is.
    """

    def __init__(
        self,
        ids: Sequence[str],
        seed: int,
        stage: str,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        lengths: Tensor | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.dtype = dtype
        self.seeds = [sample_seed(seed, sample_id, stage) for sample_id in ids]
        self._generators = [torch.Generator(self.device).manual_seed(s) for s in self.seeds]
        self._lengths = None if lengths is None else lengths.tolist()

    def normal(self, *shape: int) -> Tensor:
        """Draw standard-normal numbers, (S, *shape)."""
        return self._filled(shape, lambda row, generator: row.normal_(generator=generator))

    def antithetic(self, draws: int, *shape: int) -> Tensor:
        """Draw standard-normal numbers and their negatives, (S, draws, *shape).

        The first half is drawn, and the second half is the first with the other sign; of an odd
        number of draws the last of the first half has no partner.
        """
        half = -(-draws // 2)

        def fill(row: Tensor, generator: torch.Generator) -> None:
            row[:half].normal_(generator=generator)
            torch.neg(row[: draws - half], out=row[half:])

        return self._filled((draws, *shape), fill)

    def directions(self, shape: Sequence[int], count: int) -> Tensor:
        """Draw normal directions in the space of one sample's values, (S, values, count)."""
        if self._lengths is None:
            return self.normal(math.prod(shape), count)
        return self.normal(count, *shape).flatten(2).mT

    def _filled(
        self, shape: tuple[int, ...], fill: Callable[[Tensor, torch.Generator], object]
    ) -> Tensor:
        """Fill (S, *shape), every part by its own generator."""
        make = torch.empty if self._lengths is None else torch.zeros
        out = make((len(self._generators), *shape), device=self.device, dtype=self.dtype)
        for i, (row, generator) in enumerate(zip(out, self._generators, strict=True)):
            if self._lengths is None:
                fill(row, generator)
            else:
                own = row.new_empty((shape[0], self._lengths[i], *shape[2:]))
                fill(own, generator)
                row[:, : self._lengths[i]] = own
        return out

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw numbers from U(low, high), (S, *shape)."""
        out = torch.empty((len(self._generators), *shape), device=self.device, dtype=self.dtype)
        for row, generator in zip(out, self._generators, strict=True):
            row.uniform_(low, high, generator=generator)
        return out

    def permutation(self, n: int) -> Tensor:
        """Draw one order of n things per sample, (S, n), int64."""
        orders = [torch.randperm(n, generator=g, device=self.device) for g in self._generators]
        return torch.stack(orders)


NOISE_KINDS = ("fresh", "antithetic", "fixed")
"""Ways to draw the noise of a step; see `noise_draws`."""


def noise_draws(source: NoiseSource, kind: str, draws: int, *shape: int) -> Callable[[], Tensor]:
    """Return what gives the noise of every step, (S, K, *shape), with K `draws`.

    `kind` is 'fresh' for new numbers in every step; 'antithetic' for half as many, each used with
    both signs, so that their mean is exactly 0; 'fixed' for those of the first step.

    >>> antithetic = noise_draws(NoiseSource(["coffee"], 0, "input_iba"), "antithetic", 4, 3)
    >>> bool(antithetic().sum(1).abs().max() < 1e-6)
    True
    """
    if kind == "fixed":
        kept = source.normal(draws, *shape)
        return lambda: kept
    draw = source.normal if kind == "fresh" else source.antithetic
    return lambda: draw(draws, *shape)
