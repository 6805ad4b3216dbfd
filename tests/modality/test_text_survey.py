"""Whose embeddings are replaced: of encoders, of decoders, of whatever reads the text."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.errors import AttributionError
from tests.modality.text_models import (
    MAKERS,
    WORDS,
    TorchEncoder,
    logits,
    make,
    modality,
    read_logits,
    texts,
)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("count", [1, 3, 7])
def test_a_classifier_reads_the_embeddings_it_is_given(name: str, count: int) -> None:
    """Those of other texts make it say what it says to these; seven texts are a square."""
    net, reads = make(name), modality()
    ids, others = texts(count, 1), texts(count, 2)
    embeddings, tokens = reads.enter(net, ids)
    other_embeddings, _ = reads.enter(net, others)
    with torch.no_grad():
        own = read_logits(reads, net, embeddings, tokens)
        found = read_logits(reads, net, other_embeddings, tokens)
    torch.testing.assert_close(own, logits(net, ids), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found, logits(net, others), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["model.shared", "model.encoder.embed_tokens"])
def test_an_encoder_decoder_may_be_named_by_any_of_its_embeddings(name: str) -> None:
    net, reads = make("bart"), modality(embedding=name)
    other_embeddings, _ = reads.enter(net, texts(2, 2))
    _, tokens = reads.enter(net, texts(2, 1))
    with torch.no_grad():
        found = read_logits(reads, net, other_embeddings, tokens)
    torch.testing.assert_close(found, logits(net, texts(2, 2)), atol=1e-5, rtol=1e-4)


def test_embeddings_of_other_weights_are_named() -> None:
    class Twice(TorchEncoder):
        def __init__(self) -> None:
            super().__init__(batch_first=True)
            self.unused = nn.Embedding(WORDS, 16)

        def get_input_embeddings(self) -> nn.Module:
            return self.unused

    with pytest.raises(AttributionError, match=r"'unused' of Twice is not given .* to 'embed'"):
        modality().enter(Twice(), texts(2, 1))
    net, named = Twice().eval(), modality(embedding="embed")
    torch.testing.assert_close(
        read_logits(named, net, *named.enter(net, texts(2, 1))), logits(net, texts(2, 1))
    )


def test_who_else_embeds_the_text_is_told(caplog: pytest.LogCaptureFixture) -> None:
    net = make("t5")
    decoder: Any = net.get_submodule("transformer.decoder")
    decoder.embed_tokens = copy.deepcopy(decoder.embed_tokens)
    with caplog.at_level(logging.WARNING):
        modality().enter(net, texts(2, 1))
    assert "'transformer.decoder.embed_tokens' of T5ForSequenceClassification embeds" in caplog.text


def test_ids_in_another_shape_and_words_one_by_one() -> None:
    class Flat(TorchEncoder):
        def forward(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
            logits: Tensor = self.fc(self.embed(ids.reshape(-1)).view(*ids.shape, -1).mean(1))
            return logits

    class Steps(TorchEncoder):
        def forward(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
            logits: Tensor = self.fc(sum(self.embed(ids[:, t]) for t in range(ids.shape[1])))
            return logits

    reads, net = modality(), Flat(batch_first=True).eval()
    other_embeddings, _ = reads.enter(net, texts(2, 2))
    found = read_logits(reads, net, other_embeddings, reads.enter(net, texts(2, 1))[1])
    torch.testing.assert_close(found, logits(net, texts(2, 2)))
    with pytest.raises(AttributionError, match="called with all of them at once"):
        reads.enter(Steps(batch_first=True), texts(2, 1))
