"""Several questions about every input, in one batch with one set of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from input_iba.core.arguments import Arguments
from input_iba.core.targets import GenerationTarget, family_of
from input_iba.errors import ConfigError
from input_iba.records import Sample, Target

Asked = tuple[Tensor, Sequence[Sample | None], Sequence[str] | None, Any]
"""Inputs (S, …), what there is to look at beside each, their ids, and what stands beside them."""


def each_asked(
    targets: Sequence[Target | None],
    values: Tensor,
    looks: Sequence[Sample | None],
    ids: Sequence[str] | None,
    beside: Any,
) -> tuple[list[Target | None], Asked]:
    """Return every input once for each of n questions, (S·n, …), and the question of each.

    Ids get the question's number, from 0. `beside` are further arguments of the model; see
    `Arguments`.

    Raises:
        ConfigError: There are no questions, or they are something else than a sequence.

    >>> import torch
    >>> asked, (values, *_, ids, _) = each_asked([1, 5], torch.zeros(2, 3), [None] * 2, "ab", None)
    >>> asked, values.shape, ids
    ([1, 5, 1, 5], torch.Size([4, 3]), ['a_0', 'a_1', 'b_0', 'b_1'])
    """
    if isinstance(targets, str) or not isinstance(targets, Sequence) or not targets:
        raise ConfigError(
            f"targets= are several questions, such as [281, 285]; got {targets!r:.80}. Of one "
            "question, or one for each input, give target=."
        )
    if isinstance(family_of(targets), GenerationTarget):
        raise ConfigError(
            "Answers of language models stand behind their prompts, so that each is an input of "
            "its own: attribute([prompt] * 2, [GenerationTarget('yes'), GenerationTarget('no')])."
        )
    count = len(targets)
    return [*targets] * len(values), (
        values.repeat_interleave(count, 0),
        [look for look in looks for _ in range(count)],
        None if ids is None else [f"{id_}_{i}" for id_ in ids for i in range(count)],
        Arguments.of(beside, values.device).repeat(count).values,
    )
