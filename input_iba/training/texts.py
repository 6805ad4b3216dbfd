"""Training of recurrent classifiers of text: Adam, batches of similar length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from input_iba.core.tokens import pad
from input_iba.training.classifier import ClassifierTrainer, Labelled, row_losses
from input_iba.training.settings import TextTraining

POOL = 50
"""Batches that are sorted by length together; more waste less, fewer mix better."""

MAX_LENGTH = 400
"""Tokens that longer texts are cut to in training, unless told otherwise."""

LENGTH_STEP = 32
"""Batches are as long as a multiple of it: of every new shape the process keeps memory."""

ROWS_AND_TOKENS = (256, 65_536)
"""Most texts, and most tokens with padding, of a batch that is only evaluated."""


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
        for indices in by_length(data.lengths(), *ROWS_AND_TOKENS):
            yield data.take(indices)


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
