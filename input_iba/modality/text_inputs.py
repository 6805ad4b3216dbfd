"""Texts as a caller has them: strings with a tokenizer, or token ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.padding import PAD_INDEX, lengths_of, pad
from input_iba.core.targets import GenerationTarget, family_of, one_each
from input_iba.datasets import PieceDataset
from input_iba.datasets.given_texts import GivenTexts
from input_iba.errors import ConfigError, DataError
from input_iba.modality.answers import Answerer
from input_iba.modality.base import Modality
from input_iba.modality.inputs import Asked, Inputs, first_of
from input_iba.modality.nearly import what_to_do
from input_iba.modality.text import TextModality
from input_iba.modality.tokenizers import modality_of, most_tokens, padded
from input_iba.records import Sample, Targets, TextSample


class TextInputs(Inputs):
    """Texts: one or several strings, or token ids (S, T) or (T,).

    Args:
        model: The classifier.
        tokenizer: A fast tokenizer of the package `transformers`; None where token ids come.
        modality: How the model takes texts; None to see it from tokenizer and model.

    Raises:
        ConfigError: The tokenizer has no token that could pad texts, or is not a fast one.
    """

    modality: TextModality

    def __init__(self, model: nn.Module, tokenizer: Any, modality: Modality | None) -> None:
        self._model = model
        self._limit: int | None = None
        self._tokenizer = None
        if tokenizer is not None:
            if not getattr(tokenizer, "is_fast", False):
                raise ConfigError(
                    f"The tokenizer {type(tokenizer).__name__} cannot say which piece belongs to "
                    "which word. Give a fast one of the package transformers (AutoTokenizer)."
                )
            self._tokenizer = padded(deepcopy(tokenizer))  # the caller's own stays as it is
            self._limit = most_tokens(model, self._tokenizer)
        if isinstance(modality, TextModality):
            self.modality = modality
        elif self._tokenizer is not None:
            self.modality = modality_of(self._tokenizer)
        else:
            own = getattr(getattr(model, "config", None), "pad_token_id", None)
            index = getattr(model, "pad_index", PAD_INDEX)
            self.modality = TextModality(pad=own if isinstance(own, int) else index)

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return token ids (S, T), and the texts behind them where there are any."""
        if isinstance(data, Tensor):
            ids = data[None] if data.ndim == 1 else data
            return ids, [None] * len(ids)
        samples = [self._one(item) for item in ([data] if isinstance(data, str) else data)]
        return pad([sample.input for sample in samples], self.modality.pad).ids, samples

    def asked(self, data: Any, targets: Targets | None) -> Asked:
        """Return what `read` does, with the answers that targets ask about behind the prompts."""
        if not isinstance(family_of(targets), GenerationTarget):
            return super().asked(data, targets)
        prompts = self.read(data)[0] if isinstance(data, Tensor) else data
        several = [prompts] if isinstance(prompts, str) else list(prompts)
        special, limit = self.modality.special, self._limit
        answerer = Answerer(self._model, self.modality.pad, special, self._tokenizer, limit)
        samples, questions = answerer.asked(several, one_each(targets, len(several)))
        looks = [sample if sample.tokens else None for sample in samples]
        return pad([sample.input for sample in samples], self.modality.pad).ids, looks, questions

    def samples(self, values: Tensor, looks: Sequence[Sample | None]) -> list[Sample]:
        """Return texts without padding; of ids alone, every id is a word."""
        own = self.modality.pad
        texts = [
            row[:length]
            for row, length in zip(values, lengths_of(values, own).tolist(), strict=True)
        ]
        of_ids = (TextSample("", t, tokens=tuple(map(str, t.tolist())), pad=own) for t in texts)
        made = zip(texts, (look or of for look, of in zip(looks, of_ids, strict=True)), strict=True)
        return [replace(look, id=str(i), input=text) for i, (text, look) in enumerate(made)]

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield token ids (B, T)."""
        if isinstance(data, Tensor | str):
            yield from torch.split(self.read(data)[0], 1)
            return
        for item in data:
            first = first_of(item)
            several = isinstance(first, list | tuple)  # a loader's batch of strings
            for one in first if several else [first]:
                yield self.read(one)[0]

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return token ids (N, T), padded to the longest text."""
        return pad([text for batch in batches for text in batch], self.modality.pad).ids

    def _one(self, item: Any) -> Sample:
        if not isinstance(item, str) or self._tokenizer is None:
            what = "a tokenizer= is needed" if isinstance(item, str) else "expected texts"
            raise DataError(
                f"Texts cannot be read: {what}; got {type(item).__name__}. Give strings with "
                f"tokenizer=, or token ids (S, T) as a tensor.{what_to_do(item)}"
            )
        return PieceDataset(GivenTexts([item]), self._tokenizer, self._limit)[0]
