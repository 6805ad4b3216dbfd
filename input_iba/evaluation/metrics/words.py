"""A text as words that are taken away one by one, whatever pieces a classifier reads it in."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import Case, Setting
from input_iba.modality.text_classifier import TextClassify
from input_iba.records import TextSample


def by_words(setting: Setting, case: Case) -> tuple[TextClassify, Tensor]:
    """Return a text as its W words.

    All pieces of a word lose their embedding together. Special tokens, which belong to no word,
    always keep theirs.

    Returns:
        What maps numbers of words (B, W), and which words are kept (B, W), to logits; and the
        numbers themselves, (1, W).

    Raises:
        EvaluationError: The sample is no text.
    """
    sample = case.sample
    if not isinstance(sample, TextSample):
        raise EvaluationError(f"Sample {sample.id!r} is no text, so it has no words.")
    words = torch.arange(len(sample.tokens), device=sample.input.device)
    owners = words if sample.words is None else torch.tensor(sample.words).to(words)

    def classify(numbers: Tensor, keep: Tensor) -> Tensor:
        kept = keep[:, owners.clamp(min=0)] | (owners < 0)
        logits: Tensor = setting.classify(sample.input.expand(len(numbers), -1), kept)
        return logits

    return classify, words[None]
