"""Occlusion, LIME and KernelSHAP against literal or exact answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution.methods import KernelShap, Lime, Method, MethodAttributor, Occlusion
from input_iba.attribution.methods.surrogate import WeightedRidge
from input_iba.errors import ConfigError
from input_iba.modality.segments import segment
from input_iba.records import Explanation
from tests.attribution.methods.settings import samples
from tests.attribution.nets import small_net


def linear(side: int = 8) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(2 * side * side, 3)).double()


def explain(method: Method, net: nn.Module, x: Tensor, label: int) -> Tensor:
    [found] = MethodAttributor(net, method).attribute(x, [label], ids=["a"])
    assert isinstance(found, Explanation)
    return found.input_mask * found.peak


def contributions(net: nn.Module, x: Tensor, label: int, fill: float) -> Tensor:
    weight = net[1].weight[label].view_as(x[0])  # type: ignore[index]
    values: Tensor = (weight * (x[0] - fill)).sum(0).detach()
    return values


def test_occlusion_is_the_mean_loss_over_the_squares_on_a_pixel() -> None:
    net, x = small_net().eval(), samples(1)
    found = explain(Occlusion(window=3 / 8, stride=2 / 8, fill=0.5), net, x, 1)
    base = net(x).softmax(1)[0, 1].item()
    total, count = np.zeros((8, 8)), np.zeros((8, 8))
    for top in (0, 2, 4, 6):
        for left in (0, 2, 4, 6):
            square = (slice(top, min(top + 3, 8)), slice(left, min(left + 3, 8)))
            blank = x.clone()
            blank[0, :, square[0], square[1]] = 0.5
            total[square] += base - net(blank).softmax(1)[0, 1].item()
            count[square] += 1
    np.testing.assert_allclose(found.numpy(), total / count, rtol=1e-6)


@pytest.mark.parametrize("tiles", [2, 3])
def test_kernel_shap_of_a_linear_model_is_exact(tiles: int) -> None:
    net, x = linear(), samples(1)
    method = KernelShap(score="logit", tiles=tiles, n_samples=200, fill=0.3)
    found = explain(method, net, x, 2)
    segments = segment(x[0], "grid", tiles)
    pixels = contributions(net, x, 2, 0.3)
    expected = torch.stack([pixels[segments == i].sum() for i in range(tiles**2)])
    torch.testing.assert_close(found, expected[segments], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [Lime, KernelShap])
@pytest.mark.parametrize(("per_segment", "sets"), [(0, 20), (1, 20), (3, 48)])
def test_inputs_of_many_segments_get_more_sets(
    kind: type[Lime | KernelShap], per_segment: int, sets: int
) -> None:
    net, rows = small_net(), list[int]()
    method = MethodAttributor(net, kind(n_samples=20, tiles=4, per_segment=per_segment))
    method.attribute(samples(1), [0])
    with net[0].register_forward_pre_hook(lambda _, args: rows.append(len(args[0]))):
        method.attribute(samples(1), [0])
    beside = 3 + 1  # to see what can be folded, and the logits
    assert sum(rows) == sets + beside


def test_lime_of_a_linear_model_is_nearly_exact_and_shrinks_with_alpha() -> None:
    net, x = linear(), samples(1)
    segments = segment(x[0], "grid", 2)
    pixels = contributions(net, x, 0, 0.0)
    expected = torch.stack([pixels[segments == i].sum() for i in range(4)])[segments]
    found = explain(Lime(score="logit", tiles=2, n_samples=200, alpha=1e-6), net, x, 0)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    shrunk = explain(Lime(score="logit", tiles=2, n_samples=200, alpha=100.0), net, x, 0)
    assert shrunk.abs().sum() < found.abs().sum() / 2


def test_superpixels_follow_an_edge() -> None:
    image = torch.zeros(3, 24, 24)
    image[:, :, 10:] = 1
    segments = segment(image, "slic", 3)
    assert sorted(set(segments.flatten().tolist())) == list(range(int(segments.max()) + 1))
    assert not set(segments[:, :10].flatten().tolist()) & set(segments[:, 10:].flatten().tolist())
    found = explain(Lime(segments="slic", tiles=2, n_samples=20), small_net(), samples(1), 0)
    assert found.shape == (8, 8)


def test_ridge_is_the_closed_form() -> None:
    draws = np.random.default_rng(0)
    x, y, weight = draws.normal(size=(30, 4)), draws.normal(size=30), draws.random(30)
    model = WeightedRidge(0.7)
    whole = [torch.from_numpy(part) for part in (x, y, weight)]
    model.fit([tuple(part[:20] for part in whole), tuple(part[20:] for part in whole)])
    design = np.hstack([x, np.ones((30, 1))])
    penalty = 0.7 * np.diag([1, 1, 1, 1, 0])
    gram = design.T @ np.diag(weight) @ design + penalty
    expected = np.linalg.solve(gram, design.T @ (weight * y))
    np.testing.assert_allclose(model.representation()[0], expected[:4], rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (Occlusion, {"stride": 0.5, "window": 0.2}, "stride ≤ window"),
        (Lime, {"segments": "hexagons"}, "baseline.segments must be one of 'grid'"),
        (Lime, {"kernel_width": 0.0}, "kernel_width must be a number above 0"),
        (Lime, {"alpha": -1.0}, "baseline.alpha"),
        (KernelShap, {"tiles": 0}, "tiles must be a number of at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    kind: type[Method], settings: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        kind(**settings)
