"""Which kind of input a caller has, told once, and read accordingly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from input_iba.attribution.image_inputs import ImageInputs, first_of
from input_iba.attribution.text_inputs import TextInputs
from input_iba.modality import Modality, TextModality
from input_iba.records import Attribution


class Inputs(Protocol):
    """How a kind of input is read, and what is asked of it."""

    text: bool
    modality: Modality

    def read(self, data: Any) -> tuple[Tensor, Sequence[Any]]:
        """Return inputs (S, …), and what there is to look at beside each map."""

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, …) of whatever yields inputs."""

    def choose_layer(self, model: nn.Module, example: Tensor) -> str:
        """Return a layer for the feature bottleneck, found on one input (1, …)."""

    def described(self, record: Attribution, look: Any, class_names: Sequence[str]) -> Attribution:
        """Return a record that shows its input, and calls classes by their names."""


def inputs_of(
    model: nn.Module, data: Any, tokenizer: Any, transform: Any, modality: Modality | None
) -> Inputs:
    """Return what reads a caller's inputs.

    Args:
        model: Takes them.
        data: Some of them.
        tokenizer: Of texts, or None.
        transform: Of photographs, or None.
        modality: What the caller says that they are, or None.
    """
    first = data
    while isinstance(first, Sequence | Mapping) and not isinstance(first, str) and len(first):
        first = first_of(first)
    ids = isinstance(first, Tensor) and not first.is_floating_point() and first.ndim <= 2
    if tokenizer is not None or isinstance(modality, TextModality) or ids or isinstance(first, str):
        return TextInputs(model, tokenizer, modality)
    return ImageInputs(transform)
