"""What lies before the tap is skipped where that changes nothing, and computed where it does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.suffix import ResumedClassifier
from input_iba.core.tap import TappedClassifier
from tests.conftest import Unchanged


class Around(nn.Module):
    """A network with a skip connection around layer `inner`, if `skip`."""

    def __init__(self, skip: bool, inplace: bool = False, flatten_first: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.inner = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.act, self.head = nn.ReLU(), nn.Linear(4 * 36, 3)
        self.skip, self.inplace, self.flatten_first = skip, inplace, flatten_first
        self.rows: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[0]  # as many networks do
        begun = self.act(self.stem(x))
        if self.inplace:
            begun += 1
        out = self.act(self.inner(begun))
        if self.skip:
            out = out + begun
        logits: Tensor = self.head(out.reshape(rows, -1))
        return logits


def sequential() -> nn.Module:
    torch.manual_seed(0)
    shared = nn.ReLU()  # called before and after the layer
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), shared),
        nn.Conv2d(4, 4, 3, padding=1),
        shared,
        nn.Flatten(),
        nn.Linear(4 * 36, 3),
    )


NETS: dict[str, tuple[Callable[[], nn.Module], str, bool]] = {
    "sequential": (sequential, "1", True),
    "first layer": (sequential, "0.0", True),
    "plain": (lambda: Around(skip=False), "inner", True),
    "skip connection": (lambda: Around(skip=True), "inner", False),
    "in place": (lambda: Around(skip=False, inplace=True), "inner", False),
}


@pytest.mark.parametrize("side", ["output", "input"])
@pytest.mark.parametrize("name", NETS)
def test_both_ways_give_the_same_logits_and_gradients(name: str, side: str) -> None:
    make, layer, skips = NETS[name]
    classifier = TappedClassifier(make().double().eval(), layer, side=side)
    x = torch.randn(3, 2, 6, 6, dtype=torch.float64)
    with classifier.frozen():
        resumed = ResumedClassifier(classifier, x[:2])
        assert resumed.skips == skips
        features = classifier.features(x).detach().repeat_interleave(4, 0)
        features = (features + torch.randn_like(features)).requires_grad_()
        found = resumed.logits(x, features)
        expected = classifier.logits_with(x.repeat_interleave(4, 0), features)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
        ours, theirs = (
            torch.autograd.grad(logits.sin().sum(), features)[0] for logits in (found, expected)
        )
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_nothing_before_the_layer_is_computed() -> None:
    net = Around(skip=False).eval()
    classifier = TappedClassifier(net, "inner")
    x = torch.randn(2, 2, 6, 6)
    with classifier.frozen():
        resumed = ResumedClassifier(classifier, x)
        features = classifier.features(x)
        computed: list[str] = []
        for name in ("stem", "inner", "head"):
            module = net.get_submodule(name)
            kept = module.forward

            def noting(value: Tensor, name: str = name, kept: object = kept) -> Tensor:
                computed.append(name)
                return kept(value)  # type: ignore[operator, no-any-return]

            module.forward = noting
        resumed.logits(x, features)
    assert computed == ["head"]


def test_the_network_comes_back_when_it_fails_behind_the_layer(unchanged: Unchanged) -> None:
    net = Around(skip=False).eval()
    classifier = TappedClassifier(net, "inner")
    x = torch.randn(2, 2, 6, 6)
    with unchanged(net), classifier.frozen():
        resumed = ResumedClassifier(classifier, x)
        with pytest.raises(RuntimeError):
            resumed.logits(x, torch.randn(2, 4, 5, 5))
