"""The layer that is chosen for a transformer that reads text."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.modality import TextModality
from tests.modality.text_models import MAKERS, make, modality, texts
from tests.models.tiny_bert import tiny_bert


@pytest.mark.parametrize(
    ("depth", "layer"),
    [
        # Of one block the classifier reads the special token alone, and of the last of two.
        (1, "bert.embeddings"),
        (2, "bert.encoder.layer.0"),
        (3, "bert.encoder.layer.1"),
        (6, "bert.encoder.layer.3"),
    ],
)
def test_of_a_stack_it_is_the_block_in_the_middle(depth: int, layer: str) -> None:
    net = tiny_bert(num_hidden_layers=depth).eval()
    reads = TextModality(pad=0, special=[2, 3])
    assert reads.choose_layer(net, torch.tensor([[2, 6, 7, 9, 3]])) == layer


@pytest.mark.parametrize("name", list(MAKERS))
def test_of_every_kind_of_transformer_it_is_a_block_that_decides(name: str) -> None:
    net = make(name)
    layer = modality().choose_layer(net, texts(1, 0))
    assert layer.rpartition(".")[2] in {"0", "1"}, layer


class Bag(nn.Module):
    def __init__(self, words: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(40, 8)
        self.fc = nn.Linear(8, 2)
        self.words = words

    def forward(self, ids: Tensor) -> Tensor:
        """Return logits (B, 2) of the mean over words, or of the end of texts alone."""
        embedded = self.embed(ids)
        found: Tensor = self.fc(embedded.mean(1) if self.words else embedded[:, -1])
        return found


def test_without_a_stack_it_is_the_last_layer_that_keeps_tokens() -> None:
    assert modality().choose_layer(Bag(words=True), texts(1, 0)) == "embed"


def test_a_classifier_that_reads_no_word_is_refused() -> None:
    with pytest.raises(ConfigError, match="No layer of Bag keeps one vector per token"):
        modality().choose_layer(Bag(words=False), texts(1, 0))
