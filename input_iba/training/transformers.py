"""Training of transformers that classify text: all of it, or the last layer alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from input_iba.core.modes import padding_known
from input_iba.core.tokens import PAD_INDEX, pad
from input_iba.training.classifier import ClassifierTrainer, Labelled
from input_iba.training.loop import autocasting
from input_iba.training.texts import TextTrainer, by_length

ROWS_AND_TOKENS = (32, 8_192)
"""Most texts, and most tokens with padding, of a batch that is only evaluated."""

HEAD_LR = 10.0
"""Learning rate of what begins with random weights, over that of a trained encoder."""


class TransformerTrainer(TextTrainer):
    """Trains all weights of a transformer, called with token ids (B, T) and `attention_mask`.

    The encoder's peak learning rate is 0.0001 unless given, and that of the layers behind it
    `HEAD_LR` times as high.
    """

    def cut(self, data: Labelled) -> Labelled:
        """Leave the training set as its tokenizer cut it: special tokens stand at both ends."""
        return data

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return AdamW, faster for the layers that begin with random weights.

        References:
            Howard and Ruder 2018 (arXiv 1801.06146), section 3.2, discriminative fine-tuning.
        """
        lr = 1e-4 if self.settings.lr is None else self.settings.lr
        encoder = list(getattr(self.model, "base_model", self.model).parameters())
        inside = set(map(id, encoder))
        head = [p for p in self.model.parameters() if id(p) not in inside]
        groups = [{"params": encoder, "lr": lr}, {"params": head, "lr": HEAD_LR * lr}]
        return torch.optim.AdamW([group for group in groups if group["params"]])

    def logits(self, batch: Labelled) -> Tensor:
        """Return logits (B, classes)."""
        known = _padding(self.model)
        texts = pad(batch.inputs, known).to(self.device)
        with padding_known(self.model, known):
            output: Any = self.model(texts.ids, attention_mask=texts.valid.long())
        logits: Tensor = output if isinstance(output, Tensor) else output.logits
        return logits

    def evaluation_batches(self, data: Labelled) -> Iterator[Labelled]:
        """Yield all texts in batches of similar length."""
        for indices in by_length(data.lengths(), *ROWS_AND_TOKENS):
            yield data.take(indices)


def _padding(model: nn.Module) -> int:
    """Return the id that pads a classifier's texts: of its padding, or else of the end of texts."""
    config = getattr(model, "config", None)
    ids = (getattr(config, name, None) for name in ("pad_token_id", "eos_token_id"))
    return next((id_ for id_ in ids if isinstance(id_, int)), PAD_INDEX)


@runtime_checkable
class HeadedEncoder(Protocol):
    """A classifier whose last layer reads one vector per text; `frozen` to train it alone."""

    frozen: bool

    def pooled(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return the vectors (B, F) of token ids (B, T)."""

    def classify(self, features: Tensor) -> Tensor:
        """Return logits (B, classes) of vectors (B, F)."""


@torch.no_grad()
def encode(
    model: nn.Module,
    texts: Labelled,
    autocast: torch.dtype | None = None,
    on_batch: Callable[[int], object] = lambda _: None,
) -> Labelled:
    """Run a frozen encoder, a `HeadedEncoder`, once over texts; left in evaluation mode.

    `on_batch` is called with the number of texts of every batch, for progress.
    """
    assert isinstance(model, HeadedEncoder)
    model.eval()
    device = next(model.parameters()).device
    features: Tensor | None = None
    for indices in by_length(texts.lengths(), *ROWS_AND_TOKENS):
        batch = pad(texts.take(indices).inputs).to(device)
        with autocasting(device, autocast):
            found = model.pooled(batch.ids, batch.valid.long()).float().cpu()
        if features is None:
            features = found.new_empty(len(texts.targets), found.shape[1])
        features[indices] = found
        on_batch(len(indices))
    assert features is not None
    return Labelled(features, texts.targets)


class HeadTrainer(ClassifierTrainer):
    """Trains the last layer of a `HeadedEncoder` on features that are computed once.

    The peak learning rate is 0.01 unless given.
    """

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return AdamW over what `classify` reads, which is all that gets a gradient."""
        lr = 1e-2 if self.settings.lr is None else self.settings.lr
        return torch.optim.AdamW(self.model.parameters(), lr)

    def logits(self, batch: Labelled) -> Tensor:
        """Return logits (B, classes)."""
        assert isinstance(self.model, HeadedEncoder)
        return self.model.classify(batch.inputs.to(self.device))
