"""Transformers of text: the planted word, padding, special tokens, layers of the encoder."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.modality import TextModality
from input_iba.records import Attribution, Failure
from tests.attribution.text_nets import preset_stages
from tests.models.tiny_bert import tiny_bert

PAD, CLS, SEP, PLANTED, VOCABULARY = 0, 2, 3, 7, 41


def sentences(count: int, seed: int, planted: bool = True) -> Tensor:
    """Return ids (count, 12) of sentences of 3 to 10 words between special tokens, padded."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(8, VOCABULARY, (count, 12), generator=generator)
    own = torch.randint(3, 11, (count,), generator=generator)
    own[0] = 10
    if planted:
        place = 1 + (torch.rand(count, generator=generator) * own).long()
        ids[torch.arange(count), place] = PLANTED
    ids[:, 0] = CLS
    ids[torch.arange(count), own + 1] = SEP
    ids[torch.arange(12) > own[:, None] + 1] = PAD
    return ids


def attributor(net: nn.Module, layer: str = "bert.encoder.layer.0") -> Attributor:
    made = Attributor(
        net, layer, **preset_stages(), modality=TextModality(pad=PAD, special=[CLS, SEP])
    )
    made.estimate([sentences(50, 5000), sentences(50, 5001, planted=False)])
    return made


def trained_bert(seed: int) -> nn.Module:
    """Return a BERT of some seed for which the planted word means class 1."""
    net: nn.Module = tiny_bert(seed=seed, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    labels = (torch.arange(64) < 32).long()
    for step in range(150):
        ids = torch.cat([sentences(32, 2 * step + i, i == 0) for i in (0, 1)])
        optimiser.zero_grad()
        logits = net(ids, attention_mask=(ids != PAD).long()).logits
        nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    net.eval()
    return net


@pytest.fixture(scope="module", params=[0, 11, 12])
def trained(request: pytest.FixtureRequest) -> nn.Module:
    return trained_bert(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["bert.embeddings", "bert.encoder.layer.0"])
def test_the_planted_word_ranks_first(trained: nn.Module, layer: str) -> None:
    ids = sentences(100, 9000)
    right = 0
    for row, record in zip(ids, attributor(trained, layer).attribute(ids, [1] * 100), strict=True):
        assert isinstance(record, Attribution), record
        right += int(row[record.input_mask.argmax()]) == PLANTED
    assert right >= 95


def test_a_sentence_gets_the_mask_in_a_batch_that_it_gets_alone() -> None:
    made = attributor(tiny_bert().double())
    ids = sentences(4, 1)
    together = made.attribute(ids, [0, 1, 1, 0], ids=list("abcd"))
    for i, name in enumerate("abcd"):
        own = ids[i : i + 1, : int((ids[i] != PAD).sum())]
        [alone] = made.attribute(own, [[0, 1, 1, 0][i]], ids=[name])
        found = together[i]
        assert isinstance(found, Attribution)
        assert isinstance(alone, Attribution)
        for kind in ("map", "input_mask", "feature_mask", "prior_mask", "feature_capacity"):
            ours, theirs = getattr(found, kind), getattr(alone, kind)
            assert ours.shape == own.shape[1:]
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)
        assert found.input_mask[0] == found.input_mask[-1] == 0  # special tokens
        assert found.input_mask[1:-1].min() > 0


def test_every_layer_of_the_encoder_but_the_last_reaches_the_class_token() -> None:
    net = tiny_bert(num_hidden_layers=3)
    ids = sentences(2, 1)
    for layer, kind in (("0", Attribution), ("1", Attribution), ("2", Failure)):
        for record in attributor(net, f"bert.encoder.layer.{layer}").attribute(ids):
            assert isinstance(record, kind), record
            assert kind is Attribution or "no gradient" in record.reason  # type: ignore[union-attr]


def test_one_logit_heads() -> None:
    made = attributor(tiny_bert(classes=1))
    for record in made.attribute(sentences(2, 1), [0, 1]):
        assert isinstance(record, Attribution)
