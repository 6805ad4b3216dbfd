"""Texts: the planted word is found, padding plays no part, what is lent comes back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor, ConstantPrior, FeatureIBA, InputBottleneck
from input_iba.errors import AttributionError
from input_iba.modality import TextModality
from input_iba.records import Attribution
from tests.attribution.text_nets import preset_stages
from tests.modality.text_models import (
    END,
    PAD,
    PLANTED,
    WORDS,
    TorchEncoder,
    logits,
    make,
    modality,
    read_logits,
    texts,
)


@pytest.mark.parametrize("name", ["longformer", "bart", "t5", "gpt2", "torch", "roberta"])
def test_padding_changes_nothing(name: str) -> None:
    net, reads = make(name), modality()
    ids = torch.full((2, 9), PAD)
    ids[0], ids[1, :7] = texts(1, 1, 9)[0], texts(1, 2)[0]
    with torch.no_grad():
        found = read_logits(reads, net, *reads.enter(net, ids))
    for row, length in zip(found, (9, 7), strict=True):
        index = int(length == 7)
        expected = logits(net, ids[index : index + 1, :length])[0]
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=1e-4)


def trained(name: str) -> nn.Module:
    """Return a classifier for which the planted word means class 1."""
    net = make(name).train()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    labels = (torch.arange(64) < 32).long()
    for step in range(200):
        ids = torch.cat([texts(32, 2 * step + i, planted=i == 0) for i in (0, 1)])
        optimiser.zero_grad()
        with torch.enable_grad():
            output = net(ids, attention_mask=torch.ones_like(ids))
        loss = nn.functional.cross_entropy(getattr(output, "logits", output), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net.eval()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("longformer", "longformer.encoder.layer.0"),
        ("bart", "model.encoder.layers.0"),
        ("t5", "transformer.encoder.block.0"),
        ("xlnet", "transformer.layer.0"),
        ("torch", "encoder.layers.0"),
        ("torch_sequence_first", "encoder.layers.0"),
    ],
)
def test_the_planted_word_ranks_first(name: str, layer: str) -> None:
    net = trained(name)
    explain = Attributor(net, layer, **preset_stages(), modality=modality())
    explain.estimate([texts(50, 5000, planted=True), texts(50, 5001)])
    ids = texts(40, 9000, planted=True)
    right = 0
    for row, record in zip(ids, explain.attribute(ids, [1] * 40), strict=True):
        assert isinstance(record, Attribution), record
        right += int(row[record.input_mask.argmax()]) == PLANTED
    assert right >= 38


SHORT = {
    "feature_iba": FeatureIBA(opt_steps=2, batch_size=2),
    "prior": ConstantPrior(),
    "input_iba": InputBottleneck(opt_steps=2, batch_size=2),
}


def test_torch_encoders_are_explained_with_padding_and_given_back() -> None:
    net = TorchEncoder(batch_first=True)
    explain = Attributor(net, "encoder.layers.0", modality=modality(), **SHORT)  # type: ignore[arg-type]
    ids = torch.tensor([[5, 6, 8, 9, 9], [10, 11, 12, PAD, PAD]])
    explain.estimate([ids, ids])
    assert all(isinstance(record, Attribution) for record in explain.attribute(ids))
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_classifier_without_padding_is_lent_one() -> None:
    net = make("gpt2")
    assert net.config.pad_token_id is None  # type: ignore[union-attr]
    explain = Attributor(net, "transformer.h.0", modality=TextModality(pad=END), **SHORT)  # type: ignore[arg-type]
    ids = torch.tensor([[5, 6, 8, 9, 9], [10, 11, 12, END, END]])
    explain.estimate([ids, ids])
    for row, record in zip((ids[:1], ids[1:, :3]), explain.attribute(ids), strict=True):
        assert isinstance(record, Attribution), record
        assert record.prediction == logits(net, row).argmax()
    assert net.config.pad_token_id is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (torch.zeros(2, 0, dtype=torch.int64), "which is empty"),
        (torch.zeros(0, 5, dtype=torch.int64), "which is empty"),
        (torch.ones(2, 5, dtype=torch.bool), "integers of shape"),
        (torch.ones(2, 5), "integers of shape"),
        (torch.ones(5, dtype=torch.int64), "integers of shape"),
        (torch.tensor([[5, -1]]), "Token id -1 has no embedding"),
        (torch.tensor([[5, WORDS]]), f"Token id {WORDS} has no embedding"),
    ],
)
def test_what_cannot_be_token_ids_is_refused(ids: Tensor, message: str) -> None:
    with pytest.raises(AttributionError, match=message):
        modality().enter(make("torch"), ids)


def test_short_integers_are_ids() -> None:
    net, reads = make("torch"), modality()
    long, short = (reads.enter(net, texts(2, 1).to(kind))[0] for kind in (torch.int64, torch.uint8))
    assert torch.equal(long, short)
