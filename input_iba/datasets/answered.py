"""Prompts with an answer behind each, which is seen as it is while the prompt is masked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from input_iba.core.tokens import with_answer
from input_iba.datasets.base import DatasetView, SampleDataset
from input_iba.records import TextSample


class AnsweredDataset(DatasetView):
    """The prompts of a data set of token ids, each with its answer behind it.

    Args:
        prompts: The other data set.
        answers: The ids of the answer to each prompt; none where the prompt cannot be read.
        each_token: Whether a prompt is explained for every token of its answer, too: a sample each,
            whose target is the token's place in the answer.
    """

    def __init__(
        self, prompts: SampleDataset, answers: Sequence[Sequence[int]], each_token: bool = False
    ) -> None:
        super().__init__(prompts, None)
        self.answers, self.each_token = answers, each_token
        counts = [len(answer) if each_token else 0 for answer in answers]
        asked = [(i, token) for i, count in enumerate(counts) for token in [None, *range(count)]]
        self._places = [place for place, _ in asked]
        self._targets = [token for _, token in asked]
        ends = ["" if token is None else f"_token_{token + 1}" for token in self._targets]
        self.ids = [prompts.ids[i] + end for i, end in zip(self._places, ends, strict=True)]

    def __getitem__(self, index: int) -> TextSample:
        place, token = self._places[index], self.target(index)
        questions = asked_of(self.source[place], self.answers[place], self.each_token)
        return questions[0 if token is None else token + 1]

    def target(self, index: int) -> int | None:
        """Return which token of the answer is asked about, None for all of them."""
        return self._targets[index]

    def path(self, index: int) -> str:
        """Return where the prompt comes from."""
        return self.source.path(self._places[index])

    def length(self, index: int) -> int:
        """Return the length of the prompt, as its own data set measures it."""
        return self.source.length(self._places[index])

    def preparation(self) -> list[Any]:
        """Return how prompts are prepared, and the answers."""
        return [self.source.preparation(), list(map(list, self.answers)), self.each_token]


def asked_of(prompt: TextSample, answer: Sequence[int], each_token: bool) -> list[TextSample]:
    """Return a prompt with an answer behind it, once for every question about it.

    The first is about all of the answer, the others about one token each, by `target`. The tokens
    of the answer belong to no word of the prompt.
    """
    words = None if prompt.words is None else (*prompt.words, *[-1] * len(answer))
    whole = replace(prompt, input=with_answer(prompt.input, answer), words=words, target=None)
    tokens = range(len(answer)) if each_token else ()
    ids = [f"{prompt.id}_token_{token + 1}" for token in tokens]
    return [whole, *(replace(whole, id=id_, target=i) for i, id_ in enumerate(ids))]
