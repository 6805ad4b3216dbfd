"""Several inputs of a network as a caller has them, and the map of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from input_iba.errors import DataError
from input_iba.modality.base import Modality
from input_iba.modality.image_inputs import ImageInputs
from input_iba.modality.inputs import AT_ONCE, Inputs, first_of
from input_iba.modality.several import SeveralModality
from input_iba.modality.text import TextModality
from input_iba.modality.text_inputs import TextInputs
from input_iba.modality.vision import VisionModality
from input_iba.records import Attribution, Sample


class SeveralInputs(Inputs):
    """A tuple of tensors with a row per sample; or a loader that yields such tuples.

    What stands behind the inputs in a loader's tuple, such as labels, is left out.
    """

    modality: SeveralModality

    def __init__(self, modality: SeveralModality) -> None:
        self.modality = modality

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return the inputs, packed, (S, 1, N)."""
        count = len(self.modality.shapes)
        parts = tuple(data)[:count] if isinstance(data, tuple | list) else ()
        tensors = [part for part in parts if isinstance(part, Tensor)]
        if len(tensors) < count or len({len(part) for part in tensors}) != 1:
            got = ", ".join(str(tuple(part.shape)) for part in tensors) or type(data).__name__
            raise DataError(
                f"Expected a tuple of {count} tensors with one row per sample each; got {got}."
            )
        values = self.modality.packed(tensors)
        return values, [None] * len(values)

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches of packed inputs, (B, 1, N)."""
        for item in [data] if isinstance(data, tuple) else data:
            yield from torch.split(self.read(item)[0], AT_ONCE)

    def joined(self, batches: Sequence[Tensor]) -> NoReturn:
        """Refuse to train an explainer; see `SeveralModality.taps`."""
        self.modality.taps()

    def parted(self, record: Attribution) -> Attribution:
        """Return a record with one for each of the inputs in it, whose map has its shape."""

        def parts(mask: Tensor) -> list[Tensor]:
            return [part[0] for part in self.modality.unpacked(mask[None, None])]

        assert record.picture is not None  # packed inputs are drawn as a signal
        names = ("map", "input_mask", "feature_mask", "prior_mask")
        masks = {name: parts(getattr(record, name)) for name in names}
        inputs = []
        for i, look in enumerate(parts(record.picture[0])):
            own: dict[str, Any] = {
                name: self._map_of(mask[i], name) for name, mask in masks.items()
            }
            picture = self.modality.picture(look if look.ndim > 1 else look[None])
            inputs.append(replace(record, id=f"{record.id}, input {i + 1}", picture=picture, **own))
        highest = max(float(one.map.max()) for one in inputs) or 1.0
        inputs = [replace(one, share=float(one.map.max()) / highest) for one in inputs]
        return replace(record, inputs=tuple(inputs))

    @staticmethod
    def _map_of(mask: Tensor, name: str) -> Tensor:
        """Return a mask (C, …) as a map: bits are summed over channels, shares averaged."""
        if mask.ndim == 1:
            return mask
        return mask.sum(0) if name in ("map", "feature_mask") else mask.mean(0)


def reader_of(
    model: nn.Module,
    data: Any,
    first: Any,
    tokenizer: Any,
    transform: Any,
    modality: Modality | None,
) -> Inputs:
    """Return what reads a caller's data, of which `first` is the first item, or all.

    A tuple of floating-point tensors with a row per sample each, none of which is one input of the
    model's, is several inputs.
    """
    if isinstance(modality, SeveralModality):
        return SeveralInputs(modality)
    if isinstance(data, tuple) and len(data) > 1 and modality is None and tokenizer is None:
        tensors = [x for x in data if isinstance(x, Tensor) and x.is_floating_point()]
        of_one = VisionModality().dims_of(model) + 1
        one_each = all(x.ndim == of_one for x in tensors)
        rows = {len(x) for x in tensors if x.ndim > 1}
        if len(tensors) == len(data) and not one_each and len(rows) == 1:
            return SeveralInputs(SeveralModality([tuple(x.shape[1:]) for x in tensors]))
    return inputs_of(model, first, tokenizer, transform, modality)


def inputs_of(
    model: nn.Module, data: Any, tokenizer: Any, transform: Any, modality: Modality | None
) -> Inputs:
    """Return what reads a caller's inputs, told from some of them and from what else is given."""
    first = data
    while isinstance(first, Sequence | Mapping) and not isinstance(first, str) and len(first):
        first = first_of(first)
    ids = isinstance(first, Tensor) and not first.is_floating_point() and first.ndim <= 2
    if tokenizer is not None or isinstance(modality, TextModality) or ids or isinstance(first, str):
        return TextInputs(model, tokenizer, modality)
    vision = modality if isinstance(modality, VisionModality) else VisionModality()
    return ImageInputs(model, transform, vision)
