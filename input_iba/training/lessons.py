"""What an explainer learns from: inputs, and the maps of the optimised method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.attribution import Attributor
from input_iba.errors import DataError
from input_iba.records import Attribution
from input_iba.training.loop import save

AT_ONCE = 16
"""Inputs that are explained together; what is found of them is kept as one file."""


@dataclass(frozen=True)
class Lessons:
    """Inputs, and what the optimised method found of a class of each.

    Attributes:
        inputs: Images (N, C, H, W), or token ids (N, T), as the user has them.
        labels: Class indices, (N,), int64.
        maps: Bits at the resolution of an explainer, (N, h', w'), or of words (N, T).
    """

    inputs: Tensor
    labels: Tensor
    maps: Tensor

    def take(self, rows: Tensor) -> Lessons:
        """Return some of them."""
        return Lessons(self.inputs[rows], self.labels[rows], self.maps[rows])

    def split(self, share: float, seed: int) -> tuple[Lessons, Lessons]:
        """Return all but a random share of the inputs, and that share.

        The lessons of one input, about different classes, stay together.

        Raises:
            DataError: All are of one input, so that none could be held out.
        """
        flat = self.inputs.flatten(1).double()
        keys = torch.stack([flat.sum(1), flat.square().sum(1)], 1)
        owner = torch.unique(keys, dim=0, return_inverse=True)[1]
        count = int(owner.max()) + 1
        if count < 2:
            raise DataError(
                "All inputs that could be explained are the same one, and an explainer learns from "
                "two at least. Give some hundreds that differ."
            )
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        held = torch.isin(owner, order[: min(max(1, round(share * count)), count - 1)])
        return self.take((~held).nonzero()[:, 0]), self.take(held.nonzero()[:, 0])


def teach(
    attributor: Attributor,
    inputs: Tensor,
    reduced: Callable[[Tensor], Tensor],
    *,
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
        others: Share of the inputs of which another class than the predicted one is explained, too:
            the second or third likeliest.
        seed: Of all noise, and of the choice of these.
        folder: Where what is done is kept, and read again; None keeps nothing.
        on_batch: Called with the number of inputs of every batch.

    Raises:
        DataError: None of them can be explained.
    """
    parts = []
    for start in range(0, len(inputs), AT_ONCE):
        batch = inputs[start : start + AT_ONCE]
        file = None if folder is None else folder / f"{start:07d}.pth"
        if file is not None and file.exists():
            part = torch.load(file, map_location="cpu", weights_only=True)
        else:
            part = _explained(attributor, batch, start, reduced, others, seed)
            save(file, part)
        parts.append(part)
        on_batch(len(batch))
    joined = {key: torch.cat([part[key] for part in parts]) for key in ("rows", "labels", "maps")}
    if len(joined["rows"]) < 2:
        raise DataError(
            f"Of {len(inputs)} inputs {len(joined['rows'])} could be explained, and an explainer "
            "learns from two at least. Give more inputs, of classes that the classifier knows."
        )
    return Lessons(inputs[joined["rows"]], joined["labels"], joined["maps"].float())


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
