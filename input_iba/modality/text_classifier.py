"""Take words away from a text classifier: their embeddings become 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, hooked, unwrap
from input_iba.core.modes import frozen
from input_iba.errors import EvaluationError
from input_iba.modality.units import TextClassify


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
        calls = 0

        def rewrite(output: Any, mask: Tensor) -> Any:
            nonlocal calls
            calls += 1
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
            with hooked(embedding, partial(rewrite, mask=keep)):
                output = (self.forward or self.model)(tokens)
            if calls != 1:
                raise EvaluationError(
                    f"The embedding is called {calls} times in one forward pass, expected once. "
                    "Name the module that embeds the words as `embedding`."
                )
            logits = getattr(output, "logits", None)
            return logits if isinstance(logits, Tensor) else unwrap(output)

        embedding = self._embedding()
        with frozen(self.model):
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
