"""Reading and replacing what flows at a layer, and giving the model back as it was."""

from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, layer_shapes, rewrap, unwrap
from input_iba.core.modes import frozen
from input_iba.core.tap import TappedClassifier
from input_iba.errors import AttributionError, ConfigError, LayerNotFoundError
from tests.conftest import Unchanged


class Pair(nn.Module):
    """Puts out a tuple, as attention layers do."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, str]:
        return self.conv(x), "weights"


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.ReLU(inplace=True)
        self.pair = Pair()
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)
        self.unused = nn.Linear(1, 1)
        self.calls_of_last = 0

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.pair(self.first(x))
        x = self.relu(x)
        self.calls_of_last += 1
        x = self.relu(self.last(x) + x)
        out: Tensor = self.fc(x.mean((2, 3)))
        return out


@pytest.fixture
def net(unchanged: Unchanged) -> Iterator[Net]:
    torch.manual_seed(0)
    net = Net()
    with unchanged(net):
        yield net


def test_features_stop_at_the_layer_and_leave_the_inputs_alone(net: Net) -> None:
    inputs = torch.randn(2, 3, 6, 6)
    kept = inputs.clone()
    features = TappedClassifier(net, "pair").features(inputs)
    assert net.calls_of_last == 0
    assert torch.equal(inputs, kept)
    torch.testing.assert_close(features, net.pair.conv(kept.relu()))


@pytest.mark.parametrize("layer", ["pair", "pair.conv", "last"])
@pytest.mark.parametrize("side", ["output", "input"])
def test_putting_back_what_was_read_changes_nothing(net: Net, layer: str, side: str) -> None:
    inputs = torch.randn(2, 3, 6, 6)
    tap = TappedClassifier(net, layer, side=side)
    features = tap.features(inputs)
    torch.testing.assert_close(tap.logits_with(inputs, features), net(inputs.clone()))
    assert not torch.allclose(tap.logits_with(inputs, features + 3), net(inputs.clone()))


def test_gradients_reach_the_replacement_through_in_place_layers(net: Net) -> None:
    inputs = torch.randn(2, 3, 6, 6)
    tap = TappedClassifier(net, "pair")
    features = tap.features(inputs).detach().requires_grad_()
    [slopes] = torch.autograd.grad(tap.logits_with(inputs, features * 1.0).sum(), features)
    assert slopes.abs().sum() > 0


def test_layers_that_cannot_be_tapped(net: Net) -> None:
    inputs = torch.randn(1, 3, 6, 6)
    with pytest.raises(
        LayerNotFoundError, match=r"'pair\.conf' not found in Net\. Closest: 'pair\.conv'"
    ):
        TappedClassifier(net, "pair.conf")
    tap = TappedClassifier(net, "relu")
    with pytest.raises(AttributionError, match="called 2 times"):
        tap.logits_with(inputs, tap.features(inputs))
    with pytest.raises(AttributionError, match="'unused' is not called"):
        TappedClassifier(net, "unused").features(inputs)
    with pytest.raises(ConfigError, match="'input' or 'output'"):
        TappedClassifier(net, "pair", side="both").features(inputs)


def test_autocast_concerns_the_classifier_alone(net: Net) -> None:
    inputs = torch.randn(2, 3, 6, 6)
    exact, half = (TappedClassifier(net, "pair", autocast=t) for t in (None, torch.bfloat16))
    assert half.features(inputs).dtype == torch.float32
    difference = (half.logits(inputs) - exact.logits(inputs)).abs().max()
    assert 0 < difference < 0.1


def test_logits_of_a_wrong_shape_are_refused() -> None:
    net = Net()
    net.fc = nn.Unflatten(1, (2, 2))  # type: ignore[assignment]
    with pytest.raises(AttributionError, match=r"\(1, 2, 2\) for 1 inputs"):
        TappedClassifier(net, "pair").logits(torch.randn(1, 3, 6, 6))


def test_layer_shapes(net: Net) -> None:
    shapes = layer_shapes(net, torch.randn(1, 3, 6, 6))
    assert shapes["pair"] == [(4, 6, 6)]
    assert shapes["relu"] == [(4, 6, 6), (4, 6, 6)]
    assert shapes["fc"] == [(5,)]
    assert "unused" not in shapes


def test_frozen_restores_every_flag_after_an_exception(unchanged: Unchanged) -> None:
    net = Net()
    net.pair.eval()
    net.fc.weight.requires_grad_(False)
    with unchanged(net), pytest.raises(RuntimeError, match="in between"), frozen(net):
        assert not any(m.training for m in net.modules())
        assert not any(p.requires_grad for p in net.parameters())
        raise RuntimeError("in between")


Named = namedtuple("Named", ["name", "value"])


@pytest.mark.parametrize(
    "output",
    [torch.ones(2), (torch.ones(2), 1), ["x", torch.ones(2)], Named("x", torch.ones(2))],
    ids=["tensor", "tuple", "list", "named"],
)
def test_rewrap_undoes_unwrap(output: Any) -> None:
    value = torch.zeros(2)
    again = rewrap(output, value)
    assert type(again) is type(output)
    assert unwrap(again) is value


def test_outputs_without_a_tensor_are_refused() -> None:
    with pytest.raises(AttributionError, match="dict"):
        unwrap({"logits": "none"})
    with pytest.raises(LayerNotFoundError, match="not found"):
        find_layer(nn.ReLU(), "")
