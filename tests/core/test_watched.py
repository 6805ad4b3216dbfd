"""Reading several layers in the pass that gives the logits, and giving the model back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.hooks import Wrapping
from input_iba.core.tap import TappedClassifier
from input_iba.core.watched import Tap, WatchedClassifier
from input_iba.errors import AttributionError, LayerNotFoundError
from tests.conftest import Unchanged


class Net(nn.Module):
    """A layer in place behind a convolution, one with a batch norm, one called twice, one never."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(4, 4, 3, padding=1, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.twice = nn.Tanh()
        self.unused = nn.Linear(1, 1)
        self.fc = nn.Linear(4, 5)
        self(torch.randn(8, 3, 6, 6))  # so that the norm has something to do

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        x = self.twice(self.twice(self.norm(self.conv(x))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


PLACES = (
    *(Tap("first"), Tap("relu"), Tap("relu", "input"), Tap("conv")),
    *(Tap("norm"), Tap("norm", "input"), Tap("fc")),
)


def watched(net: nn.Module, *taps: Tap) -> WatchedClassifier:
    return WatchedClassifier(net, taps, [Wrapping() for _ in taps])


def images() -> Tensor:
    return torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def test_logits_and_features_are_those_of_ordinary_passes(unchanged: Unchanged) -> None:
    net, x = Net(), images()
    expected = Net().eval()(x)
    runner = watched(net, *PLACES)
    with unchanged(net), torch.no_grad(), runner.frozen():
        logits, features = runner.look(x)
        torch.testing.assert_close(logits, expected)
        for tap, found in zip(PLACES, features, strict=True):
            tapped = TappedClassifier(net, tap.layer, side=tap.side)
            torch.testing.assert_close(found, tapped.features(x), msg=str(tap))
    assert torch.equal(x, images())


def test_features_are_the_same_where_batch_norms_are_folded(unchanged: Unchanged) -> None:
    net, x = Net(), images()
    runner = watched(net, *PLACES)
    with torch.no_grad(), runner.frozen():
        logits, features = runner.look(x)
    with unchanged(net), torch.no_grad(), runner.prepared(x):
        again, prepared = runner.look(x)
    torch.testing.assert_close(again, logits)
    for one, other in zip(prepared, features, strict=True):
        torch.testing.assert_close(one, other)


def test_folding_goes_on_where_no_tap_lies_between() -> None:
    net, x = Net(), images()
    runner = watched(net, Tap("norm"))
    with torch.no_grad(), runner.frozen():
        _, [features] = runner.look(x)
    with torch.no_grad(), runner.prepared(x):
        assert "forward" in vars(net.norm)
        torch.testing.assert_close(runner.look(x)[1][0], features)


@pytest.mark.parametrize(("layer", "calls"), [("twice", 2), ("unused", 0)])
def test_layers_that_are_not_called_once_are_refused(
    layer: str, calls: int, unchanged: Unchanged
) -> None:
    net = Net()
    said = rf"Layer '{layer}' is called {calls} times.*Choose others: taps="
    runner = watched(net, Tap("conv"), Tap(layer))
    with unchanged(net), pytest.raises(AttributionError, match=said), runner.frozen():
        runner.look(images())


def test_an_absent_layer_is_refused() -> None:
    with pytest.raises(LayerNotFoundError, match=r"'convs' not found.*'conv'"):
        watched(Net(), Tap("convs"))


def test_the_model_is_as_it_was_after_an_exception(unchanged: Unchanged) -> None:
    net = Net()
    runner = watched(net, *PLACES)
    with unchanged(net):
        with pytest.raises(RuntimeError), runner.frozen():
            runner.look(torch.randn(2, 4, 6, 6))  # a channel too many
        with pytest.raises(ZeroDivisionError), runner.prepared(images()):
            raise ZeroDivisionError
