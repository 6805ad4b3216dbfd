"""The last linear layer, and what its input is the mean of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.head import Head, find_head, pooled_tap
from input_iba.core.watched import Tap
from tests.conftest import Unchanged


class Pooled(nn.Module):
    """Convolutions, a mean, and some end; the activation is one module for all layers."""

    def __init__(self, end: nn.Module, shared: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.top = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.SiLU(inplace=True)
        self.last_act = self.act if shared else nn.SiLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.5)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        x = self.last_act(self.norm(self.top(self.act(self.stem(x)))))
        x = self.pool(x)
        if not isinstance(self.end, nn.Conv2d):
            x = x.flatten(1)
        found: Tensor = self.end(self.drop(x)).flatten(1)
        return found


def made(end: nn.Module, shared: bool = False) -> tuple[Pooled, Callable[[], Tensor], Tensor]:
    net = Pooled(end, shared).eval()
    x = torch.randn(1, 3, 10, 8)
    return net, lambda: net(x), x


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def found(net: nn.Module, run: Callable[[], Tensor]) -> Head:
    head = find_head(net, run)
    assert head is not None
    return head


def test_rows_of_a_linear_layer_less_their_mean(unchanged: Unchanged) -> None:
    net, run, _ = made(nn.Linear(8, 4))
    with unchanged(net):
        head = found(net, run)
    assert isinstance(net.end, nn.Linear)
    weight = net.end.weight.detach()
    torch.testing.assert_close(head.vectors, weight - weight.mean(0))
    torch.testing.assert_close(net.end(head.read), run())
    assert not head.vectors.requires_grad


def test_a_convolution_of_one_position_is_a_head() -> None:
    net, run, _ = made(nn.Conv2d(8, 4, 1))
    head = found(net, run)
    assert head.vectors.shape == (4, 8)
    assert head.read.shape == (1, 8)


def test_one_logit_has_two_vectors_of_opposite_sign() -> None:
    net, run, _ = made(nn.Linear(8, 1))
    head = found(net, run)
    assert isinstance(net.end, nn.Linear)
    torch.testing.assert_close(head.vectors[1], net.end.weight[0].detach())
    torch.testing.assert_close(head.vectors[0], -head.vectors[1])


@pytest.mark.parametrize(
    "end",
    [nn.Sequential(nn.Linear(8, 4), nn.Tanh()), nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4))],
    ids=["tanh", "norm"],
)
def test_no_head_where_something_comes_behind_the_linear_layer(end: nn.Module) -> None:
    net, run, _ = made(end)
    with torch.no_grad():
        for module in end.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.fill_(3.0)  # type: ignore[union-attr]
    assert find_head(net, run) is None


def test_no_head_where_nothing_is_linear() -> None:
    net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert find_head(net, lambda: net(torch.randn(1, 3, 4, 4))) is None


def test_the_layer_before_the_mean_is_found(unchanged: Unchanged) -> None:
    net, run, _ = made(nn.Linear(8, 4))
    head = found(net, run)
    with unchanged(net):
        assert pooled_tap(net, run, head.read) == Tap("last_act")


def test_of_an_activation_that_all_layers_share_the_next_place_is_taken() -> None:
    net, run, _ = made(nn.Linear(8, 4), shared=True)
    tap = pooled_tap(net, run, found(net, run).read)
    assert tap == Tap("pool", "input")


def test_nothing_where_the_head_reads_no_mean() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)).eval()
    x = torch.randn(1, 3, 6, 6)
    assert pooled_tap(net, lambda: net(x), found(net, lambda: net(x)).read) is None


def test_networks_of_torchvision() -> None:
    torchvision = pytest.importorskip("torchvision")
    x = torch.randn(1, 3, 64, 64)
    for name, expected in (("resnet18", Tap("layer4")), ("mobilenet_v3_small", Tap("features"))):
        net = torchvision.models.get_model(name, num_classes=5).eval()
        run = lambda net=net: net(x)  # noqa: E731
        head = find_head(net, run)
        assert head is not None
        assert head.vectors.shape[0] == 5
        if name == "resnet18":
            tap = pooled_tap(net, run, head.read)
            assert tap is not None
            assert tap.layer.startswith(expected.layer)


def test_the_mean_over_the_steps_of_a_signal_is_found_too() -> None:
    net = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    signals = torch.randn(2, 2, 9)
    assert pooled_tap(net, lambda: net(signals), net(signals)) == Tap("1", "output")
