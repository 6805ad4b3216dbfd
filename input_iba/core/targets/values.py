"""Questions about numbers and vectors: why this value, why this near to that?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.outputs import parts_of
from input_iba.core.targets.base import Facts, Question, Target, find_part
from input_iba.core.tokens import NO_TOKENS, Behind, Tokens
from input_iba.errors import AttributionError, ConfigError
from input_iba.registry import TARGETS
from input_iba.settings import REQUIRED, setting

SHARPNESS = 20.0
"""How sharply the similarity of two embeddings is cut off at a cosine of 0."""

EMBEDDINGS = ("sentence_embedding", "image_embeds", "text_embeds", "pooler_output")
STATES = "last_hidden_state"


@TARGETS.register_module()
@dataclass(frozen=True)
class RegressionTarget(Target):
    """Why this value? The value y must stay what it is, y₀, within a tolerance t.

    It is met by 1 / (1 + ((y − y₀) / t)²), a half where the value is off by the tolerance, so its
    loss is log(1 + ((y − y₀) / t)²), which grows slowly far away.

    >>> question = RegressionTarget(0.5).settle(torch.tensor([2.0]), Facts())
    >>> (-question.loss(torch.tensor([[2.0], [2.5]]))).exp()
    tensor([1.0000, 0.5000])
    """

    type: ClassVar = "RegressionTarget"

    tolerance: float = setting(REQUIRED, "by how much the value may be off to be half met", above=0)
    value: float | None = setting(None, "the value that is asked about; None for what is put out")
    index: int = setting(0, "which of several values per input is asked about", at_least=0)

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return the values, (B, n)."""
        if isinstance(returned, Tensor) and returned.shape == inputs.shape[:1]:
            return returned[:, None]
        what, names = "values (B,) or (B, n)", ("logits", "prediction", "predictions")
        return find_part(returned, len(inputs), names, 2, what, self.type)

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a value, by those put out, (n,)."""
        if self.index >= len(answer):
            raise ConfigError(
                f"target.index is {self.index}, and the model puts out {len(answer)} values."
            )
        value = answer[self.index].item() if self.value is None else self.value

        def loss(values: Tensor) -> Tensor:
            return ((values[:, self.index] - value) / self.tolerance).square().log1p()

        return Question(loss, f"value {value:.4g} ± {self.tolerance:g}")


@TARGETS.register_module()
@dataclass(frozen=True)
class EmbeddingTarget(Target):
    """Why is this embedding near to that one, or to what it is?

    It is met by the cosine c of the two, of which negative ones count as hardly anything:
    log(1 + exp(k·c)) / k with k = 20.
    """

    type: ClassVar = "EmbeddingTarget"

    reference: Any = setting(
        None,
        "embedding to be near to, (D,), in Python a tensor, as InputIBA.embed returns it; None for "
        "the input's own",
    )

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return one embedding per input, (B, D).

        Of an encoder that puts out one vector per token, the mean over each text's tokens.
        """
        states = parts_of(returned).get(STATES, returned)
        if isinstance(tokens, Tokens) and isinstance(states, Tensor) and states.ndim == 3:
            valid = tokens.valid.to(states.device)[..., None]
            return torch.where(valid, states, 0).sum(1) / valid.sum(1)
        what = "one embedding per input (B, D)"
        return find_part(returned, len(inputs), EMBEDDINGS, 2, what, self.type)

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a reference, by the input's own embedding (D,)."""
        wanted = answer if self.reference is None else torch.as_tensor(self.reference).to(answer)
        wanted = wanted.detach().flatten()
        if wanted.shape != answer.shape:
            raise ConfigError(
                f"target.reference has {len(wanted)} numbers, and the model's embedding "
                f"{len(answer)}. Give the embedding of another input, as InputIBA.embed returns it."
            )
        if not bool(wanted.any()):
            raise AttributionError("target.reference is 0, which is near to nothing.")

        def loss(embeddings: Tensor) -> Tensor:
            cosine = F.cosine_similarity(embeddings, wanted[None], dim=1)
            return -(F.softplus(SHARPNESS * cosine) / SHARPNESS).log()

        own = self.reference is None
        return Question(loss, "its own embedding" if own else "similarity to the reference")
