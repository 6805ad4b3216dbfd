"""What causal language models answer to prompts, or are given to answer, as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.explainable import bare, device_of
from input_iba.core.modes import frozen
from input_iba.core.padding import lengths_of
from input_iba.core.targets import GenerationTarget
from input_iba.datasets import AnsweredDataset, GivenTexts, PieceDataset, TextDataset
from input_iba.datasets.answered import asked_of
from input_iba.datasets.pieces import without_spaces
from input_iba.errors import ConfigError, DataError
from input_iba.records import TextSample


@dataclass(frozen=True)
class Answerer:
    """Finds the ids of answers, as a target asks about them.

    Attributes:
        model: The language model.
        pad: Id of the padding.
        special: Ids that end an answer and are not part of it.
        tokenizer: Reads prompts and answers that are texts; None where only ids are.
        limit: Most tokens that the model reads; None for any number.
    """

    model: nn.Module
    pad: int
    special: tuple[int, ...] = ()
    tokenizer: Any = None
    limit: int | None = None

    def asked(
        self, prompts: Sequence[Tensor | str], targets: Sequence[GenerationTarget]
    ) -> tuple[list[TextSample], list[GenerationTarget]]:
        """Return prompts with answers behind them, and what is asked of each.

        They are a sample for every question about every prompt, which is a text, or ids (T,).
        """
        samples, questions = list[TextSample](), list[GenerationTarget]()
        for number, (prompt, target) in enumerate(zip(prompts, targets, strict=True)):
            if isinstance(prompt, str):
                answered = self.texts(GivenTexts([prompt]), target)
                found = [answered[i] for i in range(len(answered))]
            else:
                ids = prompt[: lengths_of(prompt[None], self.pad)]
                sample = TextSample(str(number), ids, tokens=())
                found = asked_of(sample, self.answer(target, ids), target.each_token)
            samples += found
            questions += [target.about(sample.target) for sample in found]
        return samples, questions

    def texts(self, texts: TextDataset, target: GenerationTarget) -> AnsweredDataset:
        """Return texts with the answers behind them that a target asks about.

        Raises:
            ConfigError: The answer leaves no room for a prompt.
        """
        given, room = target.continuation, target.max_tokens
        if given is not None:
            room = len(self.tokenizer(given)["input_ids"] if isinstance(given, str) else given)
        if self.limit is not None and self.limit <= room:
            raise ConfigError(
                f"The answer may have {room} tokens, and the model reads {self.limit} in all, so "
                "there is no room for a prompt. Ask about a shorter answer (target.max_tokens)."
            )
        prompts = _Prompts(texts, self, None if self.limit is None else self.limit - room)
        answers = list[tuple[int, ...]]()
        for index in range(len(prompts)):
            try:
                ids = prompts[index].input
            except DataError:
                answers.append(())  # the run itself says what is wrong with the text
            else:
                answers.append(self.answer(target, ids, texts.text(index)))
        return AnsweredDataset(prompts, answers, target.each_token)

    def answer(self, target: GenerationTarget, prompt: Tensor, text: str = "") -> tuple[int, ...]:
        """Return the ids of the answer to a prompt, whose ids are (T,).

        Raises:
            ConfigError: There is no answer: none is given, and the model gives none.
        """
        given = target.continuation
        if given is None:
            return self._own(prompt, target.max_tokens)
        ids = self._read(given, text) if isinstance(given, str) else tuple(map(int, given))
        if not ids:
            raise ConfigError(
                f"target.continuation is {given!r}, which holds no token. Give the answer that is "
                "asked about, or None for the model's own."
            )
        return ids

    def prompt(self, sample: TextSample) -> TextSample:
        """Return a prompt without the end of a text that its tokenizer may put behind it."""
        end = getattr(self.tokenizer, "eos_token_id", None)
        if sample.input[-1] != end or sample.words is None:
            return sample
        if self._ends(sample.text):
            return sample
        return replace(sample, input=sample.input[:-1], words=sample.words[:-1])

    def _own(self, prompt: Tensor, count: int) -> tuple[int, ...]:
        """Return the likeliest token after the prompt, the likeliest after both, and so on."""
        model: Any = bare(self.model)
        if not hasattr(model, "generate"):
            raise ConfigError(
                f"{type(model).__name__} has no method `generate`, so its own answer is not known: "
                "give the answer that is asked about as target.continuation."
            )
        ids = prompt[None].to(device_of(model))
        greedy = {"do_sample": False, "num_beams": 1, "max_new_tokens": count}
        with torch.no_grad(), frozen(model):
            told = {"attention_mask": torch.ones_like(ids), "pad_token_id": self.pad}
            found = model.generate(ids, **told, **greedy)[0, len(prompt) :].tolist()
        while found and found[-1] in (self.pad, *self.special):
            found.pop()
        if not found:
            raise ConfigError(
                "The model ends at once where it should answer, so there is no answer to explain. "
                "Give one as target.continuation."
            )
        return tuple(found)

    def _read(self, answer: str, text: str) -> tuple[int, ...]:
        """Return the ids of an answer as they follow those of a prompt's text.

        Between two words stands a space, in scripts that have any.
        """
        if self.tokenizer is None:
            raise ConfigError(
                f"target.continuation is the text {answer!r}, and no tokenizer= is given that "
                "reads it. Give one, or the answer's token ids."
            )
        around = f"{text[-1:]}{answer[:1]}"
        apart = answer[:1].isalnum() and not any(c.isspace() or without_spaces(c) for c in around)
        answer = f" {answer}" if apart and text else answer
        before, both = self._ids(text), self._ids(text + answer)
        if both[: len(before)] == before:
            return tuple(both[len(before) :])
        # The last piece of the prompt would be another one with the answer behind it.
        return tuple(self.tokenizer(answer, add_special_tokens=False)["input_ids"])

    def _ids(self, text: str) -> list[int]:
        """Return the ids of a text that goes on."""
        ids: list[int] = self.tokenizer(text)["input_ids"]
        end = self.tokenizer.eos_token_id
        return ids[:-1] if ids[-1:] == [end] and not self._ends(text) else ids

    def _ends(self, text: str) -> bool:
        """Return whether the token that ends texts is a text's own."""
        return text.endswith(self.tokenizer.eos_token)


class _Prompts(PieceDataset):
    """Texts that go on, of which the end is kept where they are too long."""

    def __init__(self, texts: TextDataset, answerer: Answerer, max_length: int | None) -> None:
        super().__init__(texts, answerer.tokenizer, max_length)
        if texts.keep is None:
            self.tokenizer.truncation_side = "left"
        self._answerer = answerer

    def __getitem__(self, index: int) -> TextSample:
        return self._answerer.prompt(super().__getitem__(index))
