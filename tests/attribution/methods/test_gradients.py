"""Gradient methods against what their definitions give."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from input_iba.attribution.methods import (
    Gradient,
    InputXGradient,
    IntegratedGradients,
    Method,
    SmoothGrad,
)
from input_iba.core.noise import sample_seed
from input_iba.errors import ConfigError
from tests.attribution.methods.settings import explained, samples
from tests.attribution.nets import small_net


def explain(method: Method, x: Tensor, targets: list[int]) -> Tensor:
    return explained(small_net(), method, x, targets)


def gradient(x: Tensor, label: int, probability: bool = False) -> Tensor:
    x = x.clone().requires_grad_()
    logits = small_net().eval()(x)
    scores = logits.softmax(1) if probability else logits
    return torch.autograd.grad(scores[:, label].sum(), x)[0]


def test_gradient_and_input_times_gradient() -> None:
    x = samples(1)
    expected = gradient(x, 2)
    torch.testing.assert_close(explain(Gradient(), x, [2]), expected.abs().sum(1))
    torch.testing.assert_close(explain(Gradient(channels="sum"), x, [2]), expected.sum(1))
    torch.testing.assert_close(
        explain(Gradient(score="probability"), x, [2]), gradient(x, 2, True).abs().sum(1)
    )
    torch.testing.assert_close(explain(InputXGradient(), x, [2]), (x * expected).sum(1))


def test_smooth_grad_is_the_mean_over_noise_of_the_samples_own() -> None:
    x = samples(2)
    found = explain(SmoothGrad(n_samples=5, noise=0.2), x, [0, 1])
    for i, label in enumerate([0, 1]):
        draws = torch.Generator().manual_seed(sample_seed(0, f"s{i}", "smooth_grad"))
        deviation = float(0.2 * (x[i].max() - x[i].min()))
        noise = deviation * torch.empty(5, *x[i].shape).to(x).normal_(generator=draws)
        expected = torch.stack([gradient(x[i : i + 1] + n, label)[0] for n in noise]).mean(0)
        torch.testing.assert_close(found[i], expected.abs().sum(0))


def test_integrated_gradients_add_up_to_the_difference_of_scores() -> None:
    x, net = samples(2), small_net().eval()
    found = explain(IntegratedGradients(n_steps=400, fill=0.2), x, [0, 1])
    blank = net(torch.full_like(x[:1], 0.2))[0]
    for i, label in enumerate([0, 1]):
        expected = net(x[i : i + 1])[0, label] - blank[label]
        assert found[i].sum().item() == pytest.approx(expected.item(), rel=2e-2)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Gradient(score="loss"), "baseline.score must be one of 'logit'"),
        (lambda: Gradient(channels="mean"), "baseline.channels"),
        (lambda: SmoothGrad(n_samples=0), "n_samples must be a number of at least 1"),
        (lambda: SmoothGrad(noise=0.0), "noise must be a number above 0"),
        (lambda: IntegratedGradients(n_steps=-1), "n_steps"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: object, said: str) -> None:
    assert callable(wrong)
    with pytest.raises(ConfigError, match=said):
        wrong()
