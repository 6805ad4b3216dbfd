"""Where tokens stand at layers that pad them, turn them round, or read them one place later."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from input_iba.core.tap import TappedClassifier
from input_iba.modality import TextModality
from tests.modality.text_models import PLANTED, logits, make, modality, texts

EMBEDDED = {
    "bert": "bert.embeddings",
    "roberta": "roberta.embeddings",
    "longformer": "longformer.embeddings",
    "bart": "model.encoder.layernorm_embedding",
    "t5": "transformer.encoder.block.0.layer.0.layer_norm",
    "xlnet": "transformer.word_embedding",
    "gpt2": "transformer.drop",
    "torch": "embed",
    "torch_sequence_first": "encoder.layers.0.self_attn",
}
"""A layer at which, or before which, tokens have not met yet."""


def tapped(net: nn.Module, layer: str, reads: TextModality, side: str = "output") -> Any:
    wrapping = reads.wrapping(net, layer, side)
    return TappedClassifier(net, layer, side=side, wrapping=wrapping, run=reads.run)


@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.parametrize("count", [2, 7])
def test_features_change_where_the_text_does(name: str, count: int) -> None:
    net, reads = make(name), modality()
    ids = texts(count, 1)
    changed = ids.clone()
    places = torch.arange(count) % 6
    changed[torch.arange(count), places] = PLANTED
    side = "input" if name == "torch_sequence_first" else "output"
    tap = tapped(net, EMBEDDED[name], reads, side)
    with torch.no_grad():
        before, after = (tap.features(*reads.enter(net, row)) for row in (ids, changed))
        same_features = tap.logits_with(
            *reads.enter(net, ids)[:1], before, reads.enter(net, ids)[1]
        )
    expected = torch.zeros(count, 7, dtype=torch.bool)
    expected[torch.arange(count), places] = True
    assert torch.equal((before != after).any(2), expected)
    torch.testing.assert_close(same_features, logits(net, ids), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["bert", "longformer", "xlnet", "torch_sequence_first"])
def test_other_features_at_a_layer_decide_all_that_follows(name: str) -> None:
    net, reads = make(name), modality()
    ids, others = texts(3, 1), texts(3, 2)
    layers = {"xlnet": "transformer.layer.0", "torch_sequence_first": "encoder.layers.0"}
    tap = tapped(net, layers.get(name, f"{name}.encoder.layer.0"), reads)
    with torch.no_grad():
        features = tap.features(*reads.enter(net, others))
        embeddings, tokens = reads.enter(net, ids)
        found = tap.logits_with(embeddings, features, tokens)
    torch.testing.assert_close(found, logits(net, others), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("bart", "model.decoder.layernorm_embedding"),
        ("t5", "transformer.decoder.block.0.layer.0.layer_norm"),
    ],
)
def test_a_decoder_reads_a_word_one_place_later(name: str, layer: str) -> None:
    net, reads = make(name), modality()
    ids = texts(2, 1)
    changed = ids.clone()
    changed[:, 3] = PLANTED
    tap = tapped(net, layer, reads)
    with torch.no_grad():
        before, after = (tap.features(*reads.enter(net, row)) for row in (ids, changed))
    assert (before != after).any(2).nonzero().tolist() == [[0, 3], [1, 3]]
