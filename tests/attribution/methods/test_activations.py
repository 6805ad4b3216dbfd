"""Guided backpropagation and DeepLIFT on networks on which plain hooks go wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.methods import DeepShap, GuidedBackprop, MethodAttributor
from input_iba.errors import AttributionError
from input_iba.records import Explanation
from tests.attribution.methods.settings import samples


class Awkward(nn.Module):
    """One ReLU in place for three calls, a sum in place, ReLU6, and an input read twice."""

    def __init__(self, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.relu = activation()
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.first(x) * 4
        out: Tensor = self.second(self.relu(features.clone()))
        out += features
        out = self.relu(out)
        out += 0.5 * out.flip(1)
        logits: Tensor = self.head(self.relu(self.pool(out) - 0.3).flatten(1))
        return logits


ACTIVATIONS = pytest.mark.parametrize(
    "activation",
    [lambda: nn.ReLU(inplace=True), lambda: nn.ReLU6(inplace=True), nn.ReLU, nn.ReLU6],
    ids=["relu in place", "relu6 in place", "relu", "relu6"],
)


@ACTIVATIONS
def test_contributions_add_up_to_the_difference_of_scores(
    activation: Callable[[], nn.Module],
) -> None:
    net = Awkward(activation).double().eval()
    x, background = samples(2), samples(5, seed=9)
    method = MethodAttributor(net, DeepShap(n_background=5), background=background)
    for rows in (None, 2):
        found = method.attribute(x, [0, 2], internal_batch_size=rows)
        for record, given, label in zip(found, x, [0, 2], strict=True):
            assert isinstance(record, Explanation)
            expected = net(given[None])[0, label] - net(background)[:, label].mean()
            total = (record.input_mask * record.peak).sum()
            assert total.item() == pytest.approx(expected.item(), rel=1e-8)


class _Guide(torch.autograd.Function):
    """Literal: cut at 0 and at `most`, and pass on what is positive where the input is between."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, most: float) -> Tensor:
        ctx.save_for_backward((x > 0) & (x < most))
        return x.clamp(0, most)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        [between] = ctx.saved_tensors  # type: ignore[attr-defined]
        return grad.clamp(min=0) * between, None


class Guided(nn.Module):
    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _Guide.apply(x, self.most)
        return result


@ACTIVATIONS
def test_guided_backprop_is_the_literal_one(activation: Callable[[], nn.Module]) -> None:
    net = Awkward(activation).double().eval()
    x = samples(3).requires_grad_()
    literal = Awkward(lambda: Guided(6.0 if isinstance(activation(), nn.ReLU6) else torch.inf))
    scores = literal.double().eval()(x)[torch.arange(3), torch.arange(3)]
    [expected] = torch.autograd.grad(scores.sum(), x)
    found = MethodAttributor(net, GuidedBackprop()).attribute(x.detach(), [0, 1, 2])
    for record, wanted in zip(found, expected.abs().sum(1), strict=True):
        assert isinstance(record, Explanation)
        torch.testing.assert_close(record.input_mask * record.peak, wanted)


class Hidden(nn.Module):
    """Calls ReLU as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(108, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.relu(self.layers(x) - 0.1))
        return logits


@pytest.mark.parametrize("method", [GuidedBackprop(), DeepShap()], ids=["guided_bp", "deep_shap"])
def test_a_relu_that_is_no_module_is_refused(method: GuidedBackprop | DeepShap) -> None:
    net = MethodAttributor(Hidden().double(), method, background=samples(3))
    with pytest.raises(AttributionError, match=f"'{method.name}'.* Hidden calls ReLU 1 times"):
        net.attribute(samples(2), [0, 1])


def test_activations_without_a_rule_are_named() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.SiLU(), nn.Flatten(), nn.Linear(108, 2)).double()
    with pytest.raises(AttributionError, match="no rule for SiLU, layer '1'"):
        MethodAttributor(net, DeepShap(), background=samples(3)).attribute(samples(1), [0])
    with pytest.raises(AttributionError, match=r"no nn\.ReLU"):
        MethodAttributor(net, GuidedBackprop()).attribute(samples(1), [0])
