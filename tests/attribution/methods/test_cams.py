"""Class activation maps against what their definitions give, and against pytorch-grad-cam."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.methods import (
    GradCam,
    GradCamPlusPlus,
    LayerCam,
    Method,
    MethodAttributor,
    ScoreCam,
)
from input_iba.attribution.methods.cams import ClassActivationMap
from input_iba.errors import AttributionError
from input_iba.records import Explanation
from tests.attribution.methods.settings import explained, samples
from tests.attribution.nets import small_net

LAYERS = pytest.mark.parametrize("layer", ["4", "4.conv", "3", "0"])
CAMS: dict[str, type[ClassActivationMap]] = {
    "GradCAM": GradCam,
    "GradCAMPlusPlus": GradCamPlusPlus,
    "LayerCAM": LayerCam,
    "ScoreCAM": ScoreCam,
}
"""By name in pytorch-grad-cam."""


def explain(method: Method, x: Tensor, targets: list[int]) -> Tensor:
    return explained(small_net(), method, x, targets)


def split(layer: str, x: Tensor) -> tuple[Tensor, Any]:
    """Return a layer's features and a function from features to logits."""
    net = small_net().eval()
    kept: list[Tensor] = []

    def put(features: Tensor) -> Tensor:
        def replace(*_: object) -> Tensor:
            return features.clone()  # in-place layers behind write into the copy

        with net.get_submodule(layer).register_forward_hook(replace):
            logits: Tensor = net(x)
        return logits

    with net.get_submodule(layer).register_forward_hook(lambda *a: kept.append(a[2].clone())):
        net(x)
    return kept[0].detach(), put


def gradients(layer: str, x: Tensor, targets: list[int]) -> tuple[Tensor, Tensor]:
    features, put = split(layer, x)
    features.requires_grad_()
    score = put(features)[torch.arange(len(x)), torch.tensor(targets)].sum()
    return features.detach(), torch.autograd.grad(score, features)[0]


def large(cam: Tensor) -> Tensor:
    return F.interpolate(cam[:, None], (8, 8), mode="bilinear")[:, 0]


@LAYERS
def test_grad_cam_is_weighted_features(layer: str) -> None:
    x = samples(2)
    features, grads = gradients(layer, x, [0, 1])
    expected = large((grads.mean((2, 3), keepdim=True) * features).sum(1).relu())
    torch.testing.assert_close(explain(GradCam(layer=layer), x, [0, 1]), expected)


@LAYERS
def test_layer_cam_weighs_every_place_by_its_positive_gradient(layer: str) -> None:
    x = samples(2)
    features, grads = gradients(layer, x, [0, 1])
    expected = large((grads.relu() * features).sum(1).relu())
    torch.testing.assert_close(explain(LayerCam(layer=layer), x, [0, 1]), expected)


def derivatives(put: Any, features: Tensor, target: int, place: tuple[int, ...]) -> list[Tensor]:
    """Return the first three derivatives of exp(score) along one element of the features."""
    t = torch.zeros((), dtype=features.dtype, requires_grad=True)
    one = torch.zeros_like(features)
    one[place] = 1
    found = [put(features + t * one)[0, target].exp()]
    for _ in range(3):
        found += torch.autograd.grad(found[-1], t, create_graph=True)
    return [value.detach() for value in found[1:]]


@pytest.mark.parametrize("layer", ["4", "3"])
def test_grad_cam_pp_is_what_second_and_third_derivatives_say(layer: str) -> None:
    x, target = samples(1), 1
    features, put = split(layer, x)
    value = put(features)[0, target].exp()
    weighted = torch.zeros_like(features[:, 0])
    for channel, feature in enumerate(features[0]):
        places = [(0, channel, i, j) for i in range(len(feature)) for j in range(len(feature))]
        found = [derivatives(put, features, target, place) for place in places]
        weight = sum(
            second / (2 * second + feature.sum() * third) * first.relu()
            for first, second, third in found
            if second != 0
        )
        weighted += weight * feature
    expected = large(weighted.relu()) / value  # equation 13's factor, the same all over the map
    torch.testing.assert_close(explain(GradCamPlusPlus(layer=layer), x, [target]), expected)


@LAYERS
def test_score_cam_weighs_channels_by_the_score_of_what_they_leave(layer: str) -> None:
    x, net = samples(1), small_net().eval()
    features, _ = split(layer, x)
    scores = []
    for feature in features[0]:
        mask = large(feature[None])
        mask = (mask - mask.min()) / (mask.max() - mask.min())
        scores.append(net(x * mask)[0, 2] - net(torch.zeros_like(x))[0, 2])
    weights = torch.stack(scores).softmax(0)
    expected = large(torch.einsum("c,chw->hw", weights, features[0])[None].relu()).detach()
    found = explain(ScoreCam(layer=layer), x, [2])
    torch.testing.assert_close(found, expected)
    bounded = MethodAttributor(small_net(), ScoreCam(layer=layer), internal_batch_size=3)
    [again] = bounded.attribute(x, [2], ids=["s0"])
    assert isinstance(again, Explanation)
    torch.testing.assert_close(again.input_mask * again.peak, expected[0])


@pytest.mark.parametrize("name", CAMS)
def test_maps_are_those_of_pytorch_grad_cam(name: str) -> None:
    package = pytest.importorskip("pytorch_grad_cam")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    net, x = small_net().eval(), samples(2)
    layer = "0"  # as large as the input: Score-CAM is enlarged otherwise there
    with getattr(package, name)(net, [net.get_submodule(layer)]) as library:
        wanted = [targets.ClassifierOutputTarget(i) for i in (0, 1)]
        theirs = torch.as_tensor(library(x, wanted))
    ours = explain(CAMS[name](layer=layer), x, [0, 1]).flatten(1)
    shares = (ours - ours.amin(1, keepdim=True)) / (ours.amax(1) - ours.amin(1))[:, None]
    torch.testing.assert_close(shares.float(), theirs.flatten(1), rtol=1e-3, atol=1e-3)


def test_a_channel_that_is_the_same_everywhere_masks_everything() -> None:
    layer = nn.Conv2d(2, 2, 1)
    nn.init.zeros_(layer.weight[0])
    net = nn.Sequential(layer, nn.Flatten(), nn.Linear(128, 2)).double()
    assert explained(net, ScoreCam(layer="0"), samples(1), [0]).isfinite().all()


def test_grad_cam_finds_out_once_where_features_lie() -> None:
    net, rows = small_net(), list[int]()
    method = MethodAttributor(net, GradCam(layer="4.conv"), internal_batch_size=1)
    method.attribute(samples(1), [0])
    with net[0].register_forward_pre_hook(lambda _, args: rows.append(len(args[0]))):
        method.attribute(samples(2), [0, 1])
    # Three to see what can be folded, the logits of two, then two passes for each of them.
    assert sum(rows) == 3 + 2 + 2 * 2


@pytest.mark.parametrize("kind", CAMS.values(), ids=CAMS)
def test_cams_take_the_last_map_and_refuse_layers_without_one(
    kind: type[ClassActivationMap],
) -> None:
    x = samples(1)
    last = explain(kind(), x, [0])
    torch.testing.assert_close(last, explain(kind(layer="6"), x, [0]))  # 4 channels of 2×2
    with pytest.raises(AttributionError, match=r"'7' puts out features of shape \(16,\)"):
        explain(kind(layer="7"), x, [0])
    flat = nn.Sequential(nn.Flatten(), nn.Linear(128, 2)).double()
    with pytest.raises(AttributionError, match=f"{kind.name!r} needs a layer whose output is"):
        explained(flat, kind(), x, [0])
