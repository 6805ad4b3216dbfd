"""Texts as a caller has them: strings with a tokenizer, or token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.image_inputs import first_of
from input_iba.attribution.outcome import described
from input_iba.attribution.text_reading import TextReader
from input_iba.core.explainable import bare
from input_iba.core.padding import PAD_INDEX, pad
from input_iba.errors import DataError
from input_iba.modality import Modality, TextModality
from input_iba.modality.text_layer_choice import choose_text_layer
from input_iba.records import Attribution, TextSample


class TextInputs:
    """How texts are read, and what is asked of them.

    Args:
        model: The classifier.
        tokenizer: A fast tokenizer of the package `transformers`; None where token ids come.
        modality: How the model takes texts; None to see it from tokenizer and model.
    """

    text = True

    def __init__(self, model: nn.Module, tokenizer: Any, modality: Modality | None) -> None:
        self._reader = None if tokenizer is None else TextReader(tokenizer, model)
        if isinstance(modality, TextModality):
            self._takes = modality
        elif self._reader is not None:
            self._takes = self._reader.modality
        else:
            own = getattr(getattr(model, "config", None), "pad_token_id", None)
            index = getattr(model, "pad_index", PAD_INDEX)
            self._takes = TextModality(pad=own if isinstance(own, int) else index)
        self.modality: Modality = self._takes

    def read(self, data: Any) -> tuple[Tensor, list[TextSample | None]]:
        """Return token ids (S, T), and the texts behind them where there are any.

        Args:
            data: A text or several, or token ids (S, T) or (T,).

        Raises:
            DataError: Texts are given without a tokenizer, or something else is.
        """
        if isinstance(data, Tensor):
            ids = data[None] if data.ndim == 1 else data
            return ids, [None] * len(ids)
        samples = [self._one(item) for item in ([data] if isinstance(data, str) else data)]
        return pad([sample.input for sample in samples], self._takes.pad).ids, list(samples)

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield token ids (B, T) of texts, a tensor, a loader or a data set."""
        if isinstance(data, Tensor | str):
            yield from torch.split(self.read(data)[0], 1)
            return
        for item in data:
            first = item if isinstance(item, str) else first_of(item)
            several = isinstance(first, list | tuple)  # a loader's batch of strings
            for one in first if several else [first]:
                yield self.read(one)[0]

    def choose_layer(self, model: nn.Module, example: Tensor) -> str:
        """Return a layer for the feature bottleneck, found on a text (1, T)."""
        return choose_text_layer(self._takes, bare(model), example)

    def described(
        self, record: Attribution, look: TextSample | None, class_names: Sequence[str]
    ) -> Attribution:
        """Return a record that shows its words, and calls classes by their names."""
        if look is None:
            return replace(record, class_names=tuple(class_names))
        return described(record, look, class_names)

    def _one(self, item: Any) -> TextSample:
        if not isinstance(item, str) or self._reader is None:
            what = "a tokenizer= is needed" if isinstance(item, str) else "expected texts"
            raise DataError(
                f"Texts cannot be read: {what}; got {type(item).__name__}. Give strings with "
                "tokenizer=, or token ids (S, T) as a tensor."
            )
        return self._reader.read(item)
