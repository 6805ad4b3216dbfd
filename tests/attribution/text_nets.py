"""Small classifiers of text, and sentences of which one word decides the class."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, WGANPrior
from input_iba.config.presets import preset_values
from input_iba.modality import TextModality
from input_iba.registry import PRIORS, build

PAD, WORDS, PLANTED = 1, 40, 7
"""Id of the padding, number of words in the vocabulary, and the word that means class 1."""


class TinyLSTM(nn.Module):
    """Two recurrent layers, of which the classifier reads the last one's final hidden state."""

    def __init__(self, classes: int = 1, width: int = 12, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = nn.Embedding(WORDS, 8, padding_idx=PAD)
        self.rnn_1 = nn.LSTM(8, width, batch_first=True)
        self.rnn_2 = nn.LSTM(width, width, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(width, classes)

    def forward(self, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
        embedded = self.embedding(ids)
        if lengths is None:
            lengths = torch.full((len(ids),), ids.shape[1])
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        sequence, _ = self.rnn_1(packed)
        _, (hidden, _) = self.rnn_2(sequence)
        logits: Tensor = self.fc(self.dropout(hidden[-1]))
        return logits


def sentences(
    count: int, seed: int = 0, planted: bool = True, lengths: tuple[int, int] = (4, 12)
) -> Tensor:
    """Return sentences of random words and random lengths, padded, (count, T).

    Args:
        count: Number of sentences.
        seed: Seeds words, lengths and places.
        planted: Whether each holds the planted word once; else none does.
        lengths: Least and greatest length.
    """
    generator = torch.Generator().manual_seed(seed)
    longest = lengths[1]
    ids = torch.randint(8, WORDS, (count, longest), generator=generator)
    own = torch.randint(lengths[0], longest + 1, (count,), generator=generator)
    own[0] = longest
    if planted:
        place = (torch.rand(count, generator=generator) * own).long()
        ids[torch.arange(count), place] = PLANTED
    ids[torch.arange(longest) >= own[:, None]] = PAD
    return ids


def train_on_planted_word(net: TinyLSTM, steps: int = 150) -> TinyLSTM:
    """Teach a net of one or two classes that the planted word means class 1."""
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for step in range(steps):
        with_word, without = (sentences(32, 2 * step + i, i == 0) for i in (0, 1))
        ids = torch.cat([with_word, without])
        logits = net(ids, (ids != PAD).sum(1))
        scores = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
        labels = (torch.arange(64) < 32).float()
        optimiser.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(scores, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net.eval()


def text_attributor(net: nn.Module, layer: str = "rnn_1", **options: object) -> Attributor:
    """Return an attributor of few steps for sentences."""
    settings: dict[str, object] = {
        "feature_iba": FeatureIBA(batch_size=3, opt_steps=4, beta=15),
        "prior": WGANPrior(epochs=2, dataset_size=9, batch_size=4, sub_dataset_size=3),
        "input_iba": InputBottleneck(batch_size=3, opt_steps=4, beta=30, lr=0.5),
        "modality": TextModality(pad=PAD),
    }
    return Attributor(net, layer, **{**settings, **options})  # type: ignore[arg-type]


def preset_stages(preset: str = "fast_text") -> dict[str, Any]:
    """Return the stages of a preset for text, as arguments of an attributor."""
    values = preset_values(preset)
    attributor, how = values["attributor"], values["attribution_cfg"]
    start = {k: v for k, v in attributor["input_iba"].items() if k != "type"}
    return {
        "feature_iba": FeatureIBA(sigma=0.0, **how["feat_iba"]),
        "prior": build(PRIORS, attributor["gan"]),
        "input_iba": InputBottleneck(**start, **how["input_iba"]),
    }
