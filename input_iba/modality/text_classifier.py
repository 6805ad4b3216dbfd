"""Take words away from a text classifier: their embeddings become 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.explainable import device_of
from input_iba.core.hooks import find_layer, hooked, unwrap
from input_iba.core.maps import as_map
from input_iba.core.modes import frozen
from input_iba.core.targets import class_logits, probabilities
from input_iba.errors import EvaluationError

TextClassify = Callable[[Tensor, Tensor], Tensor]
"""Maps token ids (B, T), and which positions keep their embedding (B, T), to logits."""


@dataclass(frozen=True)
class TextClassifier:
    """A classifier of token ids, and how its words are taken away.

    Attributes:
        model: Maps token ids (B, T) to logits (B, classes), or (B, 1) or (B,) of two classes; or to
            an output that holds such logits first or as `logits`.
        embedding: The module that turns token ids (B, T) into vectors (B, T, …), or its name; None
            for `model.get_input_embeddings()`, or the only `nn.Embedding` there is.
        ignored: Token ids that are never changed and never scored: padding, special tokens. None
            for the embedding's own `padding_idx`, if any.
        forward: Calls the model in another way, for attention masks say; None for `model(ids)`.
    """

    model: nn.Module
    embedding: nn.Module | str | None = None
    ignored: Sequence[int] | None = None
    forward: Callable[[Tensor], Any] | None = field(default=None, repr=False)

    def scored(self, tokens: Tensor) -> Tensor:
        """Return which positions may be changed and are scored, shaped like `tokens`, bool."""
        ignored = self.ignored
        if ignored is None:
            padding = getattr(self._embedding(), "padding_idx", None)
            ignored = [] if padding is None else [padding]
        return ~torch.isin(tokens, torch.tensor(list(ignored), dtype=tokens.dtype).to(tokens))

    @contextmanager
    def zeroing(self) -> Iterator[TextClassify]:
        """Lend a function that classifies texts without some of their words.

        The model is in eval mode meanwhile, and comes back as it was.

        Raises:
            EvaluationError: The model has no embedding, several, or does not call it once; or what
                it puts out are no vectors (B, T, …).
        """
        kept: list[Tensor] = []
        calls = 0

        def rewrite(output: Any) -> Any:
            nonlocal calls
            calls += 1
            mask = kept[-1]
            if not isinstance(output, Tensor) or output.shape[:2] != mask.shape or output.ndim < 3:
                shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
                raise EvaluationError(
                    f"The embedding must put out vectors (B, T, …) for token ids "
                    f"{tuple(mask.shape)}; got {shape}. Name the module that does as `embedding`."
                )
            return torch.where(mask.view(*mask.shape, *[1] * (output.ndim - 2)), output, 0)

        def classify(tokens: Tensor, keep: Tensor) -> Tensor:
            nonlocal calls
            calls = 0
            kept.append(keep)
            try:
                output = (self.forward or self.model)(tokens)
            finally:
                kept.pop()
            if calls != 1:
                raise EvaluationError(
                    f"The embedding is called {calls} times in one forward pass, expected once. "
                    "Name the module that embeds the words as `embedding`."
                )
            logits = getattr(output, "logits", None)
            return logits if isinstance(logits, Tensor) else unwrap(output)

        with frozen(self.model), hooked(self._embedding(), rewrite):
            yield classify

    def _embedding(self) -> nn.Module:
        if isinstance(self.embedding, nn.Module):
            return self.embedding
        if isinstance(self.embedding, str):
            return find_layer(self.model, self.embedding)
        own = getattr(self.model, "get_input_embeddings", None)
        if callable(own):
            found: nn.Module = own()
            return found
        modules = {n: m for n, m in self.model.named_modules() if isinstance(m, nn.Embedding)}
        if len(modules) != 1:
            raise EvaluationError(
                f"{type(self.model).__name__} has {len(modules)} modules of type Embedding"
                f"{': ' + ', '.join(modules) if modules else ''}; expected one. Name the module "
                "that embeds the words as `embedding`."
            )
        return next(iter(modules.values()))


def as_class_logits(logits: Tensor) -> Tensor:
    """Return logits (B, classes); one logit l, (B, 1) or (B,), stands for the two logits −l and l.

    >>> as_class_logits(torch.tensor([2.0]))
    tensor([[-2.,  2.]])
    """
    return class_logits(logits[:, None] if logits.ndim == 1 else logits)


def class_probabilities(logits: Tensor, use_softmax: bool = True) -> Tensor:
    """Return probabilities (B, classes); of one logit l those of two classes, 1 − σ(l) and σ(l)."""
    values = as_class_logits(logits)
    values = values.to(torch.promote_types(values.dtype, torch.float32))
    return probabilities(values, use_softmax and values.shape == logits.shape)


def as_text(
    reader: TextClassifier, text: Tensor, heatmap: ArrayLike | Tensor
) -> tuple[Tensor, ...]:
    """Return one text as a batch where the model is: token ids, heat and scored positions, (1, T).

    Raises:
        EvaluationError: `text` is no row of token ids.
    """
    tokens = text[None] if text.ndim == 1 else text
    if tokens.ndim != 2 or len(tokens) != 1 or tokens.is_floating_point():
        raise EvaluationError(
            f"A text is a row of token ids, (T,) or (1, T), whole numbers; got {text.dtype} of "
            f"shape {tuple(text.shape)}."
        )
    tokens = tokens.detach().to(device_of(reader.model))
    heat = heatmap.reshape(1, -1) if isinstance(heatmap, Tensor) else np.atleast_2d(heatmap)
    return tokens, as_map(heat), reader.scored(tokens)


def check_texts(
    tokens: Tensor, heats: Tensor, targets: Tensor | Sequence[int], scored: Tensor
) -> Tensor:
    """Refuse texts, maps and targets that do not fit each other.

    Args:
        tokens: Token ids, (S, T).
        heats: (S, T); what stands at positions that are not scored does not matter.
        targets: Class indices, (S,).
        scored: (S, T), bool.

    Returns:
        The targets, int64, (S,), where the tokens are.

    Raises:
        EvaluationError: Shapes do not fit, a text has no position to score, or a heat is not
            finite.
    """
    labels = torch.as_tensor(targets, dtype=torch.int64).to(tokens.device)
    shapes = [tuple(values.shape) for values in (tokens, heats, scored)]
    if tokens.ndim != 2 or len(set(shapes)) != 1 or labels.shape != tokens.shape[:1]:
        raise EvaluationError(
            f"Expected token ids, heats and scored positions (S, T) and one target each; got "
            f"{shapes[0]}, {shapes[1]}, {shapes[2]} and {tuple(labels.shape)}."
        )
    if not bool(scored.any(1).all()):
        raise EvaluationError(
            "A text holds nothing but padding and special tokens. Leave it out: it has no words "
            "to take away."
        )
    if not bool((heats.isfinite() | ~scored.to(heats.device)).all()):
        raise EvaluationError(
            "A word's heat is NaN or infinite, which has no rank. Leave the text out, or explain "
            "it again."
        )
    return labels
