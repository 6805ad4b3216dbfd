"""Training of classifiers of text: recurrent ones, transformers, or a transformer's last layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from input_iba.core.modes import padding_known
from input_iba.core.padding import PAD_INDEX, pad
from input_iba.training.classifier import ClassifierTrainer, Labelled, row_losses
from input_iba.training.loop import autocasting
from input_iba.training.settings import TextTraining

POOL = 50
"""Batches that are sorted by length together; more waste less, fewer mix better."""

MAX_LENGTH = 400
"""Tokens that longer texts are cut to in training, unless told otherwise."""

LENGTH_STEP = 32
"""Batches are as long as a multiple of it: of every new shape the process keeps memory."""

HEAD_LR = 10.0
"""Learning rate of what begins with random weights, over that of a trained encoder."""


@runtime_checkable
class StepwiseClassifier(Protocol):
    """A classifier of which an answer can be read at each of its layers and of the tokens."""

    def step_logits(self, ids: Tensor) -> Tensor:
        """Return logits (layers, B, T, classes) of token ids (B, T)."""


class TextTrainer(ClassifierTrainer):
    """Trains a classifier that is called with token ids (B, T) and lengths (B,).

    The peak learning rate is 0.003 unless given.
    """

    settings: TextTraining
    rows_and_tokens = (256, 65_536)
    """Most texts, and most tokens with padding, of a batch that is only evaluated."""

    def cut(self, data: Labelled) -> Labelled:
        """Return the training set with texts cut to their last tokens."""
        length = self.settings.max_length or MAX_LENGTH
        return Labelled(tuple(text[-length:] for text in data.inputs), data.targets)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return Adam."""
        lr = 3e-3 if self.settings.lr is None else self.settings.lr
        return torch.optim.Adam(self.model.parameters(), lr=lr)

    def batches(self, generator: torch.Generator) -> Iterator[Labelled]:
        """Yield batches of similar length, which need little padding."""
        for rows in mixed_by_length(self.data.lengths(), self.settings.batch_size, generator):
            yield self.data.take(rows)

    def logits(self, batch: Labelled) -> Tensor:
        """Return logits (B, classes)."""
        texts = pad(batch.inputs, multiple=LENGTH_STEP).to(self.device)
        logits: Tensor = self.model(texts.ids, texts.lengths)
        return logits

    def cross_entropy(self, batch: Labelled) -> Tensor:
        """Return the mean loss in nats, partly of every layer and token.

        A recurrent classifier is told what is asked at every layer and token: through hundreds of
        tokens and four layers, the end alone teaches it slowly.

        References:
            Lipton et al. 2016 (arXiv 1511.03677), section 3.2, target replication; Lee et al.
            2015 (arXiv 1409.5185), deep supervision.
        """
        share = self.settings.every_step
        if not (share > 0 and isinstance(self.model, StepwiseClassifier)):
            return super().cross_entropy(batch)
        texts = pad(batch.inputs, multiple=LENGTH_STEP).to(self.device)
        targets = batch.targets.to(self.device)
        logits = self.model.step_logits(texts.ids).float()
        last = logits[-1, torch.arange(len(targets), device=self.device), texts.lengths - 1]
        wanted = targets[:, None].expand(logits.shape[:3]).flatten()
        steps = row_losses(logits.flatten(0, 2), wanted).view(logits.shape[:3])
        steps = (steps * texts.valid).sum(2) / texts.lengths
        return (1 - share) * row_losses(last, targets).mean() + share * steps.mean()

    def update(self) -> None:
        """Change the weights along the gradient, cut to its greatest norm."""
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        super().update()

    def evaluation_batches(self, data: Labelled) -> Iterator[Labelled]:
        """Yield all texts in batches of similar length, smaller where they are long."""
        for indices in by_length(data.lengths(), *self.rows_and_tokens):
            yield data.take(indices)


class TransformerTrainer(TextTrainer):
    """Trains all weights of a transformer, called with token ids (B, T) and `attention_mask`.

    The encoder's peak learning rate is 0.0001 unless given, and that of the layers behind it
    `HEAD_LR` times as high.
    """

    rows_and_tokens = (32, 8_192)

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
    for indices in by_length(texts.lengths(), *TransformerTrainer.rows_and_tokens):
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


def mixed_by_length(lengths: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Share texts of some lengths (N,) among batches of similar ones, in random order.

    Yields:
        Indices of the texts of a batch.
    """
    order = torch.randperm(len(lengths), generator=generator)
    found: list[Tensor] = []
    for pool in torch.split(order, POOL * size):
        found += torch.split(pool[lengths[pool].argsort(stable=True)], size)
    for i in torch.randperm(len(found), generator=generator).tolist():
        yield found[i]


def by_length(lengths: Tensor, max_rows: int, max_tokens: int) -> Iterator[Tensor]:
    """Share texts of some lengths (N,) among batches of similar ones, the shortest first.

    A batch has at most `max_tokens`, padding included; one text may have more.

    Yields:
        Indices of the texts of a batch.

    >>> [rows.tolist() for rows in by_length(torch.tensor([9, 2, 3]), 2, 8)]
    [[1, 2], [0]]
    """
    order = lengths.argsort(stable=True)
    while len(order) > 0:
        rows = min(max_rows, len(order))
        rows = max(1, min(rows, max_tokens // int(lengths[order[rows - 1]])))
        yield order[:rows]
        order = order[rows:]
