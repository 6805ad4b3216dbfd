"""Questions about the answers of a language model, a tagger, or a reader of a context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from input_iba.core.outputs import parts_of
from input_iba.core.targets.base import Facts, Question, Target, class_name, find_part, numbers
from input_iba.core.tokens import NO_TOKENS, Behind, Tokens
from input_iba.errors import ConfigError
from input_iba.records import TargetLoss
from input_iba.registry import TARGETS
from input_iba.settings import setting

ABSENT = -1e4
"""Logit of a position where there is no token."""

MAX_NAMED = 3
"""Positions that a name lists."""


@TARGETS.register_module()
@dataclass(frozen=True)
class TokenTarget(Target):
    """Why these tokens at these positions?

    Of a tagger ids are tags; of a language model tokens of its vocabulary, each put out at the
    position before it. It is met by the geometric mean of the ids' probabilities.
    """

    type: ClassVar = "TokenTarget"

    positions: tuple[int, ...] = setting(
        (-1,), "places in what is put out, from the end of the text where negative"
    )
    ids: tuple[int, ...] | None = setting(
        None, "what is put out at each position; None for what is most probable there"
    )

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return logits (B, positions, ids)."""
        return find_part(returned, len(inputs), ("logits",), 3, "logits (B, T, ids)", self.type)

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on positions and ids, by logits (positions, ids)."""
        count = facts.length or len(answer)
        if not self.positions or not all(-count <= place < count for place in self.positions):
            raise ConfigError(
                f"target.positions are {self.positions}; expected places from {-count} to "
                f"{count - 1}."
            )
        places = [position % count for position in self.positions]
        ids = answer[places].argmax(-1).tolist() if self.ids is None else list(self.ids)
        if len(ids) != len(places) or not all(0 <= one < answer.shape[-1] for one in ids):
            raise ConfigError(
                f"target.ids are {tuple(ids)}; expected one of 0 to {answer.shape[-1] - 1} for "
                f"each of {len(places)} positions."
            )
        named = [
            f"{class_name(one, facts.class_names) if facts.class_names else one} at {place}"
            for one, place in zip(ids, places, strict=True)
        ]
        more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
        loss = ids_loss(places, ids, answer.device)
        return Question(loss, f"{', '.join(named[:MAX_NAMED])}{more}")


@TARGETS.register_module()
@dataclass(frozen=True)
class SpanTarget(Target):
    """Why does the answer to the question begin and end here?

    It is met by the geometric mean of the probabilities of its first and its last token.
    """

    type: ClassVar = "SpanTarget"

    start: int | None = setting(None, "place of its first token; None for the most probable")
    end: int | None = setting(None, "place of its last token; None for the most probable")

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return logits (B, 2, T) of where the answer begins and ends."""
        parts, what = parts_of(returned), "start_logits and end_logits (B, T)"
        missing = [name for name in ("start_logits", "end_logits") if name not in parts]
        if missing:
            find_part({}, len(inputs), missing, 2, what, self.type)
        both = torch.stack([parts["start_logits"], parts["end_logits"]], 1)
        if isinstance(tokens, Tokens):
            both = both.masked_fill(~tokens.valid.to(both.device)[:, None], ABSENT)
        return both

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a first and a last token, by logits (2, T)."""
        count = facts.length or answer.shape[1]
        pairs = (answer[0, :count, None] + answer[1, None, :count]).float()
        given = [place for place in (self.start, self.end) if place is not None]
        if not all(0 <= place < count for place in given):
            raise ConfigError(
                f"target.start and target.end are {self.start} and {self.end}; expected places "
                f"from 0 to {count - 1}."
            )
        if given != sorted(given):
            raise ConfigError(
                f"target.start is {self.start}, behind target.end, {self.end}. Swap them."
            )
        # No answer ends before it begins.
        pairs = pairs.where(torch.ones_like(pairs).triu() > 0, -torch.inf)
        first = range(count) if self.start is None else [self.start]
        last = range(count) if self.end is None else [self.end]
        best = int(pairs[list(first)][:, list(last)].argmax())
        span = [first[best // len(last)], last[best % len(last)]]
        name = f"answer from token {span[0]} to {span[1]}"
        return Question(ids_loss([0, 1], span, answer.device), name)


@TARGETS.register_module()
@dataclass(frozen=True)
class GenerationTarget(Target):
    """Why does a language model answer its prompt so?

    The answer stands behind the prompt, is seen as it is and is not scored, so that one pass shows
    how probable each of its tokens is after those before it (teacher forcing). The loss is their
    mean cross-entropy, not the sum: it is met by the geometric mean of their probabilities, and β
    weighs it as it does a class, however long the answer is.

    The answer is appended where texts are read; see `modality.answers`.
    """

    type: ClassVar = "GenerationTarget"
    asks: ClassVar = "token"

    continuation: Any = setting(
        None, "the answer, a text or token ids; None for what the model itself answers"
    )
    max_tokens: int = setting(20, "most tokens of what the model itself answers", at_least=1)
    each_token: bool = setting(
        False, "one map more for every token of the answer, all computed together"
    )
    token: int | None = setting(
        None, "which token of the answer is asked about, from 0; None for all of them", at_least=0
    )

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return logits (B, n, ids) of what stands at each of at most n places of the answer."""
        what = "logits (B, T, ids)"
        logits = find_part(returned, len(inputs), ("logits",), 3, what, self.type)
        if not isinstance(tokens, Tokens):
            return logits[:, :0]
        first = tokens.lengths - tokens.answered - 1  # each token is put out at the one before it
        places = first[:, None] + torch.arange(int(tokens.answered.max()))
        places = places.clamp(0, logits.shape[1] - 1).to(logits.device)
        return logits.gather(1, places[..., None].expand(-1, -1, logits.shape[2]))

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on the answer, or one of its tokens, by logits (n, ids)."""
        count = len(facts.answer)
        if not count:
            raise ConfigError(
                "A GenerationTarget asks about an answer, and none stands behind this input. "
                "Explain prompts of a causal language model, strings with tokenizer= or token ids."
            )
        if self.token is not None and self.token >= count:
            raise ConfigError(
                f"target.token is {self.token}; the answer has {count} tokens, counted from 0."
            )
        places = range(count) if self.token is None else [self.token]
        ids = [facts.answer[place] for place in places]
        said = facts.spelled(ids).strip() or numbers(ids)
        name = f"answer: {said}" if self.token is None else said
        return Question(ids_loss(places, ids, answer.device), name)


def ids_loss(places: Sequence[int], ids: Sequence[int], device: torch.device) -> TargetLoss:
    """Return the mean cross-entropy of ids at places, of logits (K, T, ids) to (K,)."""
    where, what = (torch.tensor(list(part), device=device) for part in (places, ids))
    each = torch.arange(len(ids), device=device)

    def loss(logits: Tensor) -> Tensor:
        return -logits[:, where].log_softmax(-1)[:, each, what].mean(1)

    return loss
