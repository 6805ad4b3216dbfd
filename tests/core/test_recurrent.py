"""Recurrent layers: reading their sequence, and replacing it together with the final state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from input_iba.core.hooks import hooked
from input_iba.core.recurrent import RecurrentWrapping, hollow_output
from input_iba.core.tap import TappedClassifier

LENGTHS = torch.tensor([3, 6, 1, 5])


class Reader(nn.Module):
    """Reads the final hidden state of a recurrent layer's top layer, in all its directions."""

    def __init__(self, layer: nn.RNNBase, packed: bool) -> None:
        super().__init__()
        self.before = nn.Linear(4, 4)
        self.layer = layer
        self.packed = packed

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        if self.packed:
            _, state = self.layer(
                pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
            )
        else:
            _, state = self.layer(x if self.layer.batch_first else x.transpose(0, 1))
        hidden = state[0] if isinstance(state, tuple) else state
        directions = 2 if self.layer.bidirectional else 1
        both: Tensor = hidden[-directions:].transpose(0, 1)
        return both.flatten(1)


LAYERS: dict[str, Callable[[], nn.RNNBase]] = {
    "lstm": lambda: nn.LSTM(4, 3, batch_first=True),
    "deep": lambda: nn.LSTM(4, 3, num_layers=3, batch_first=True),
    "both ways": lambda: nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True),
    "gru": lambda: nn.GRU(4, 3, batch_first=True),
    "time first": lambda: nn.RNN(4, 3),
    "projected": lambda: nn.LSTM(4, 5, proj_size=3, batch_first=True),
}


def tapped(kind: str, packed: bool, side: str = "output") -> tuple[TappedClassifier, Tensor]:
    torch.manual_seed(0)
    layer = LAYERS[kind]()
    net = Reader(layer, packed).double()
    classifier = TappedClassifier(net, "layer", side=side, wrapping=RecurrentWrapping(layer, side))
    return classifier, torch.randn(4, 6, 4, dtype=torch.float64)


CASES = [(kind, packed) for kind in LAYERS for packed in (True, False)]
CASES.remove(("time first", True))


@pytest.mark.parametrize(("kind", "packed"), CASES)
@pytest.mark.parametrize("side", ["output", "input"])
def test_putting_back_what_was_read_changes_nothing(kind: str, packed: bool, side: str) -> None:
    classifier, x = tapped(kind, packed, side)
    features = classifier.features(x)
    assert features.shape[:2] == (4, 6)
    torch.testing.assert_close(classifier.logits_with(x, features), classifier.model(x))


@pytest.mark.parametrize(("kind", "packed"), CASES)
def test_the_final_state_is_the_last_valid_step(kind: str, packed: bool) -> None:
    classifier, x = tapped(kind, packed)
    features = torch.randn_like(classifier.features(x))
    last = LENGTHS - 1 if packed else torch.full((4,), 5)
    expected = features[torch.arange(4), last]
    if kind == "both ways":
        expected = torch.cat([expected[:, :3], features[:, 0, 3:]], 1)
    assert torch.equal(classifier.logits_with(x, features), expected)


def test_lower_layers_and_cells_keep_their_states() -> None:
    layer = nn.LSTM(4, 3, num_layers=2, batch_first=True)
    output = layer(torch.randn(2, 5, 4))
    value = torch.zeros(2, 5, 3)
    sequence, (hidden, cell) = RecurrentWrapping(layer).rewrap(output, value, value)
    assert sequence is value
    assert torch.equal(hidden[0], output[1][0][0])
    assert torch.equal(hidden[1], torch.zeros(2, 3))
    assert torch.equal(cell, output[1][1])


def test_what_goes_into_a_layer_with_given_states_can_be_replaced() -> None:
    layer = nn.GRU(4, 3, batch_first=True)
    wrapping = RecurrentWrapping(layer, "input")
    x, state = torch.randn(2, 5, 4), torch.randn(1, 2, 3)
    with hooked(layer, lambda args: wrapping.rewrap(args, x * 2, x), "input"):
        found, _ = layer(x, state)
    torch.testing.assert_close(found, layer(x * 2, state)[0])


def test_padding_is_zero() -> None:
    classifier, x = tapped("lstm", packed=True)
    features = classifier.features(x)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    _, lengths = pad_packed_sequence(packed, batch_first=True)
    for row, length in zip(features, lengths, strict=True):
        assert row[length:].abs().sum() == 0
        assert row[: int(length)].abs().sum() > 0


@pytest.mark.parametrize("kind", LAYERS)
def test_the_state_keeps_its_shape_and_the_layers_below_the_top(kind: str) -> None:
    torch.manual_seed(0)
    layer, x = LAYERS[kind](), torch.randn(4, 6, 4)
    output = layer(x if layer.batch_first else x.transpose(0, 1))
    wrapping = RecurrentWrapping(layer)
    value = torch.randn_like(wrapping.unwrap(output, x))
    states = (output[1], wrapping.rewrap(output, value, x)[1])
    before, after = (each[0] if isinstance(each, tuple) else each for each in states)
    top = 2 if layer.bidirectional else 1
    assert after.shape == before.shape
    assert torch.equal(after[:-top], before[:-top])
    assert torch.equal(after[-top, :, :3], value[:, -1, :3])


@pytest.mark.parametrize("kind", ["deep", "gru"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_hollow_output_has_the_shape_of_a_computed_one(kind: str, packed: bool) -> None:
    layer, x = LAYERS[kind](), torch.randn(4, 6, 4)
    given: Any = x
    one: Any = x[:1]
    if packed:
        given = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
        one = pack_padded_sequence(x[:1], LENGTHS[:1], batch_first=True)
    expected, found = layer(given), hollow_output(layer(one), 4, LENGTHS)
    sequences = [expected[0], found[0]]
    if packed:
        sequences = [pad_packed_sequence(each, batch_first=True)[0] for each in sequences]
        assert found[0].batch_sizes.tolist() == expected[0].batch_sizes.tolist()
    assert sequences[0].shape == sequences[1].shape
    pairs = [expected[1], found[1]]
    if kind == "gru":
        pairs = [(each,) for each in pairs]
    for right, hollow in zip(*pairs, strict=True):
        assert hollow.shape == right.shape
        assert hollow.isnan().all()
