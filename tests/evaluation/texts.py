"""Small text classifiers, and insertion, deletion and sensitivity-N of words written literally."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from input_iba.evaluation.ranks import TIE_SEED
from tests.evaluation import literal

PAD, WORDS = 1, 12


class Recurrent(nn.Module):
    """An LSTM over embeddings, with dropout, in double precision; class 1 from one logit."""

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(WORDS, 4, padding_idx=PAD)
        self.rnn = nn.LSTM(4, 5, batch_first=True)
        self.dropout = nn.Dropout(0.9)
        self.fc = nn.Linear(5, classes)
        self.double()

    def head(self, vectors: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.dropout(self.rnn(vectors)[0].mean(1)))
        return logits

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.embedding(tokens))


class Output:
    """What classifiers of other packages put out."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits


class Transformer(nn.Module):
    """An encoder with word and position embeddings that knows its word embeddings itself."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.words = nn.Embedding(WORDS, 8)
        self.positions = nn.Embedding(20, 8)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.fc = nn.Linear(8, classes)
        self.double()

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def head(self, vectors: Tensor) -> Tensor:
        places = self.positions(torch.arange(vectors.shape[1]))
        logits: Tensor = self.fc(self.encoder(vectors + places)[:, 0])
        return logits

    def forward(self, tokens: Tensor) -> Output:
        return Output(self.head(self.words(tokens)))


def scores_of(model: Recurrent | Transformer, target: int) -> tuple[Callable[..., float], ...]:
    """Return functions from token ids and zeroed positions to probability and to logit."""
    table = model.embedding if isinstance(model, Recurrent) else model.words

    @torch.no_grad()
    def logits(tokens: list[int], zeroed: set[int]) -> Tensor:
        vectors = table(torch.tensor([tokens]))
        for position in zeroed:
            vectors[0, position] = 0
        out = model.eval().head(vectors)[0]
        return out

    def probability(tokens: list[int], zeroed: set[int]) -> float:
        out = logits(tokens, zeroed)
        if len(out) == 1:
            return float(out.sigmoid()[0]) if target else 1 - float(out.sigmoid()[0])
        return float(out.softmax(0)[target])

    def logit(tokens: list[int], zeroed: set[int]) -> float:
        out = logits(tokens, zeroed)
        if len(out) == 1:
            return float(out[0]) if target else -float(out[0])
        return float(out[target])

    return probability, logit


def insertion_deletion(
    probability: Callable[..., float],
    tokens: list[int],
    heat: list[float],
    ignored: set[int],
    words_a_step: int,
    most: int,
) -> dict[str, tuple[list[float], float]]:
    positions = [i for i, token in enumerate(tokens) if token not in ignored]
    draws = np.random.default_rng(TIE_SEED).random(len(heat))
    order = sorted(positions, key=lambda i: (-heat[i], draws[i]))[:most]
    found = {}
    for name in ("ins", "del"):
        scores, shares = [], []
        changed: list[int] = []
        while True:
            zeroed = set(changed) if name == "del" else set(positions) - set(changed)
            scores.append(probability(tokens, zeroed))
            shares.append(len(changed) / most)
            if len(changed) == most:
                break
            changed = order[: len(changed) + words_a_step]
        found[name] = (scores, literal.trapezoid(scores, shares))
    return found


def rationale(
    probability: Callable[..., float], tokens: list[int], heat: list[float], bins: tuple[int, ...]
) -> tuple[list[float], list[float]]:
    """Return what the probability loses without the hottest words, and with them alone."""
    draws = np.random.default_rng(TIE_SEED).random(len(heat))
    order = sorted(range(len(tokens)), key=lambda i: (-heat[i], draws[i]))
    whole = probability(tokens, set())
    without, alone = [], []
    for percent in bins:
        hottest = order[: max(percent * len(tokens) // 100, 1)]
        without.append(whole - probability(tokens, set(hottest)))
        alone.append(whole - probability(tokens, set(order) - set(hottest)))
    return without, alone
