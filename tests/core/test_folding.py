"""Batch norms fold into the layer before them, where nothing else reads that layer."""

from __future__ import annotations

from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.folding import foldable, folded, weights_in
from input_iba.core.tap import TappedClassifier
from tests.conftest import Unchanged

Net = TypeVar("Net", bound=nn.Module)


class Branching(nn.Module):
    """A block in which a convolution's output goes past its batch norm, too, if `leaky`."""

    def __init__(self, leaky: bool) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.leaky = leaky

    def forward(self, x: Tensor) -> Tensor:
        read = self.conv(x)
        normed: Tensor = self.norm(read)
        return normed + read if self.leaky else normed


def trained(net: Net) -> Net:
    """Give batch norms statistics, scales and shifts of their own."""
    torch.manual_seed(0)
    net.double()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    net.train()
    for _ in range(3):
        net(images(16))
    return net.eval()


def images(count: int = 4) -> Tensor:
    return torch.randn(count, 3, 6, 6, dtype=torch.float64) * 2 + 1


def network(leaky: bool = False, affine: bool = True) -> nn.Sequential:
    return trained(
        nn.Sequential(
            nn.Conv2d(3, 3, 3, stride=2, padding=1, groups=3, bias=False),
            nn.BatchNorm2d(3, affine=affine),
            nn.ReLU(inplace=True),
            Branching(leaky),
            nn.Flatten(),
            nn.Linear(27, 5),
            nn.BatchNorm1d(5),
            nn.Linear(5, 2),
        )
    )


def pairs_of(net: nn.Module, tap: str) -> list[str]:
    names = {module: name for name, module in net.named_modules()}
    x = images(1)
    found = foldable(net, [net.get_submodule(tap)], lambda: net(x))
    return [names[layer] for layer, _ in found]


@pytest.mark.parametrize("affine", [True, False])
def test_folding_changes_no_result_and_passes_the_norms(affine: bool) -> None:
    net = network(affine=affine)
    x = images()
    expected = net(x)
    pairs = foldable(net, [net[2]], lambda: net(x))
    with folded(pairs):
        assert len(pairs) == 3
        probe = torch.full((1, 3, 2, 2), 7.0).double()
        assert torch.equal(net[1](probe), probe)
        torch.testing.assert_close(net(x), expected, rtol=0, atol=1e-12)


def test_gradients_with_respect_to_the_input_stay() -> None:
    net, x = network(), images()
    pairs = foldable(net, [net[2]], lambda: net(x))

    def slope() -> Tensor:
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(net(leaf).sin().sum(), leaf)
        return gradient

    expected = slope()
    with folded(pairs):
        torch.testing.assert_close(slope(), expected, rtol=0, atol=1e-12)


def test_a_convolution_that_something_else_reads_is_not_folded() -> None:
    assert pairs_of(network(leaky=False), "4") == ["0", "3.conv", "5"]
    assert pairs_of(network(leaky=True), "4") == []


@pytest.mark.parametrize(("tap", "left"), [("0", ["3.conv", "5"]), ("3.norm", ["0", "5"])])
def test_the_tap_keeps_its_own_input_and_output(tap: str, left: list[str]) -> None:
    assert pairs_of(network(), tap) == left


def test_norms_with_the_batchs_own_statistics_stay() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)).double()
    assert pairs_of(net.eval(), "0") == []


def test_an_activation_in_place_between_layer_and_norm_keeps_that_pair_alone() -> None:
    before, after = (nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)), (nn.Conv2d(3, 3, 1),)
    net = trained(nn.Sequential(*before, nn.BatchNorm2d(3), *after, nn.BatchNorm2d(3), nn.ReLU()))
    assert pairs_of(net, "5") == ["3"]


def test_a_layer_called_twice_stays() -> None:
    conv = nn.Conv2d(3, 3, 1)
    net = trained(nn.Sequential(conv, nn.BatchNorm2d(3), conv, nn.BatchNorm2d(3), nn.ReLU()))
    assert pairs_of(net, "4") == []


def test_weights_are_held_in_another_type_and_come_back() -> None:
    net = network().float()
    before = dict(net.named_parameters())
    with weights_in(net, torch.bfloat16):
        assert {p.dtype for p in net[0].parameters()} == {torch.bfloat16}
        assert {p.dtype for p in net[6].parameters()} == {torch.float32}
    assert all(before[name] is value for name, value in net.named_parameters())


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
def test_the_model_comes_back_after_an_exception(
    autocast: torch.dtype | None, unchanged: Unchanged
) -> None:
    net = network().float()
    classifier = TappedClassifier(net, "2", autocast=autocast)
    x = images(1).float()
    with unchanged(net), pytest.raises(KeyError), classifier.prepared(x):
        raise KeyError


def test_what_is_prepared_gives_the_features_and_logits_of_the_model() -> None:
    net, x = network(), images()
    classifier = TappedClassifier(net, "3")
    with torch.no_grad(), classifier.frozen():
        features, logits = classifier.features(x), classifier.logits(x)
    with torch.no_grad(), classifier.prepared(x[:1]):
        torch.testing.assert_close(classifier.features(x), features, rtol=0, atol=1e-12)
        torch.testing.assert_close(classifier.logits(x), logits, rtol=0, atol=1e-12)
