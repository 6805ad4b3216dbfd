"""Gradient methods against what their definitions give."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from input_iba.attribution.methods import (
    GradCam,
    Gradient,
    InputXGradient,
    IntegratedGradients,
    Method,
    MethodAttributor,
    SmoothGrad,
)
from input_iba.core.noise import sample_seed
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Explanation
from tests.attribution.methods.settings import samples
from tests.attribution.nets import small_net


def explain(method: Method, x: Tensor, targets: list[int]) -> Tensor:
    ids = [f"s{i}" for i in range(len(x))]
    found = MethodAttributor(small_net(), method).attribute(x, targets, ids=ids)
    masks = []
    for record in found:
        assert isinstance(record, Explanation)
        masks.append(record.input_mask * record.peak)
    return torch.stack(masks)


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


@pytest.mark.parametrize("layer", ["4", "4.conv", "3", "0"])
def test_grad_cam_is_weighted_features(layer: str) -> None:
    x, net = samples(2), small_net().eval()
    kept: list[Tensor] = []

    def keep(_module: object, _args: object, output: Tensor) -> Tensor:
        kept.append(output.clone())
        return kept[0].clone()  # in-place layers behind write into the copy

    handle = net.get_submodule(layer).register_forward_hook(keep)
    scores = net(x)[torch.arange(2), torch.tensor([0, 1])].sum()
    handle.remove()
    [grads] = torch.autograd.grad(scores, kept[0])
    cam = (grads.mean((2, 3), keepdim=True) * kept[0]).sum(1, keepdim=True).relu()
    expected = torch.nn.functional.interpolate(cam, (8, 8), mode="bilinear")[:, 0].detach()
    torch.testing.assert_close(explain(GradCam(layer=layer), x, [0, 1]), expected)


def test_grad_cam_finds_out_once_where_features_lie() -> None:
    net, rows = small_net(), list[int]()
    method = MethodAttributor(net, GradCam(layer="4.conv"), internal_batch_size=1)
    method.attribute(samples(1), [0])
    with net[0].register_forward_pre_hook(lambda _, args: rows.append(len(args[0]))):
        method.attribute(samples(2), [0, 1])
    # Three to see what can be folded, the logits of two, then two passes for each of them.
    assert sum(rows) == 3 + 2 + 2 * 2


def test_grad_cam_takes_the_last_map_and_refuses_layers_without_one() -> None:
    x = samples(1)
    last = explain(GradCam(), x, [0])
    torch.testing.assert_close(last, explain(GradCam(layer="6"), x, [0]))  # 4 channels of 2×2
    with pytest.raises(AttributionError, match=r"'7' puts out features of shape \(16,\)"):
        explain(GradCam(layer="7"), x, [0])


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
