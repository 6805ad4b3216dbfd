"""What an explainer learns from: inputs, and the maps of the optimised method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.attribution import Attributor
from input_iba.core.tensor_files import read_tensor_file
from input_iba.errors import DataError
from input_iba.modality import Modality
from input_iba.records import Attribution
from input_iba.run.shell import LOGGER
from input_iba.training.loop import save

KEYS = ("rows", "labels", "maps")
"""What is kept of each lesson."""

SMALLEST = 0.3
"""Share of an image's area that the smallest of its views has."""

AT_ONCE = 16
"""Inputs that are explained together; what is found of them is kept as one file."""


@dataclass(frozen=True)
class Lessons:
    """Inputs, and what the optimised method found of a class of each.

    Attributes:
        inputs: Images (N, C, H, W), or token ids (N, T), as the user has them.
        labels: Class indices, (N,), int64.
        maps: Bits at the resolution of an explainer, (N, h', w'), or of words (N, T).
        owners: Number of the input that each is about, (N,): it may be seen in several views, and
            explained for several classes.
    """

    inputs: Tensor
    labels: Tensor
    maps: Tensor
    owners: Tensor

    def take(self, rows: Tensor) -> Lessons:
        """Return some of them."""
        parts = (self.inputs, self.labels, self.maps, self.owners)
        return Lessons(*(part[rows] for part in parts))

    def split(self, share: float, seed: int) -> tuple[Lessons, Lessons]:
        """Return all but a random share of the inputs, and that share.

        All lessons of one input stay together.
        """
        known = torch.unique(self.owners)
        order = torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))
        count = min(max(1, round(share * len(known))), len(known) - 1)
        held = torch.isin(self.owners, known[order[:count]])
        return self.take((~held).nonzero()[:, 0]), self.take(held.nonzero()[:, 0])


def teach(
    attributor: Attributor,
    inputs: Tensor,
    reduced: Callable[[Tensor], Tensor],
    *,
    views: int = 1,
    others: float = 0.0,
    seed: int = 0,
    folder: Path | None = None,
    on_batch: Callable[[int], object] = lambda _: None,
) -> Lessons:
    """Explain inputs by the optimised method; leave out those that cannot be explained.

    Args:
        attributor: The method, which has its statistics.
        inputs: (N, …), as the user has them.
        reduced: Brings maps (n, H, W) to the resolution of an explainer.
        views: How many views of each input are explained: itself, and crops; of text there is one.
        others: Share of the inputs of which another class than the predicted one is explained, too:
            the second or third likeliest.
        seed: Of all noise, and of the choice of these.
        folder: Where what is done is kept, and read again; None keeps nothing.
        on_batch: Called with the number of inputs of every batch.

    Raises:
        DataError: None of them can be explained.
    """
    given, parts = len(inputs), []
    inputs = torch.cat([inputs, *_views(attributor.modality, inputs, views - 1, seed)])
    for start in range(0, len(inputs), AT_ONCE):
        batch = inputs[start : start + AT_ONCE]
        file = None if folder is None else folder / f"{start:07d}.pth"
        part = None if file is None else _kept(file)
        if part is None:
            part = _explained(attributor, batch, start, reduced, others, seed)
            save(file, part)
        parts.append(part)
        on_batch(len(batch))
    rows, labels, maps = (torch.cat([part[key] for part in parts]) for key in KEYS)
    owners = rows % given
    known = len(torch.unique(owners))
    if known < 2:
        raise DataError(
            f"Of {given} inputs {known} could be explained, and an explainer learns "
            "from two at least. Give more inputs, of classes that the classifier knows."
        )
    return Lessons(inputs[rows], labels, maps.float(), owners)


def _kept(file: Path) -> dict[str, Tensor] | None:
    """Return what was found before; None where that is not there, or cannot be read."""
    try:
        part = read_tensor_file(file)
        return {key: part[key] for key in KEYS if len(part[key]) == len(part[KEYS[0]])}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        LOGGER.warning("'%s' cannot be read, and is made again: %s", file, error)
        return None


def _views(modality: Modality, inputs: Tensor, count: int, seed: int) -> list[Tensor]:
    """Return some crops of each of all inputs, (N, …) each."""
    draws = torch.Generator().manual_seed(seed)
    unused = inputs[:1, 0]  # in place of maps
    each = [
        [modality.moved(one, unused, SMALLEST, True, draws)[0] for one in torch.split(inputs, 1)]
        for _ in range(count)
    ]
    return [torch.cat(view) for view in each]


def _explained(
    attributor: Attributor,
    batch: Tensor,
    start: int,
    reduced: Callable[[Tensor], Tensor],
    others: float,
    seed: int,
) -> dict[str, Tensor]:
    """Return rows, labels and maps of what could be explained of some inputs (n, …)."""
    names = [str(start + i) for i in range(len(batch))]
    asked: list[tuple[int, int | None]] = [(i, None) for i in range(len(batch))]
    records: list[Any] = list(attributor.attribute(batch, ids=names, seed=seed))
    draws = torch.Generator().manual_seed(seed * 1_000_003 + start)
    for i, record in enumerate(list(records)):
        wanted, place = torch.rand(2, generator=draws).tolist()
        if wanted < others and isinstance(record, Attribution) and len(record.top) > 1:
            asked.append((i, record.top[1 + round(place * min(1, len(record.top) - 2))][0]))
    more = asked[len(batch) :]
    if more:
        again = batch[[i for i, _ in more]]
        ids = [f"{start + i}, another class" for i, _ in more]
        records += attributor.attribute(again, [label for _, label in more], ids=ids, seed=seed)
    known = [
        (start + i, record)
        for (i, _), record in zip(asked, records, strict=True)
        if isinstance(record, Attribution) and record.target is not None
    ]
    size = tuple(batch.shape[1:]) if batch.ndim == 2 else tuple(batch.shape[2:])
    maps = [_whole(record.map, size) for _, record in known]
    return {
        "rows": torch.tensor([row for row, _ in known], dtype=torch.int64),
        "labels": torch.tensor([record.target for _, record in known], dtype=torch.int64),
        # Without any map the shape is that which others have.
        "maps": reduced(torch.stack(maps or [torch.zeros(size)]))[: len(maps)].half(),
    }


def _whole(found: Tensor, size: Sequence[int]) -> Tensor:
    """Return a map with zeros behind it, where a text's is shorter; its highest value is 1."""
    padded = found.new_zeros(*size)
    padded[tuple(slice(side) for side in found.shape)] = found
    return padded / padded.max().clamp_min(1e-12)
