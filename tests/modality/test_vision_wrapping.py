"""Vision transformers: tokens become maps and come back, and the one patch that counts is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from input_iba.attribution import Attributor, InputBottleneck, SaliencyPrior
from input_iba.core.tap import TappedClassifier
from input_iba.modality import VisionModality
from input_iba.modality.layouts import TOKENS
from input_iba.records import Attribution, Failure

SIDE = 32


def torchvision_vit() -> nn.Module:
    torch.manual_seed(0)
    net: nn.Module = torchvision.models.VisionTransformer(*(SIDE, 8, 2, 2, 16, 32), num_classes=3)
    nn.init.normal_(net.get_parameter("heads.head.weight"))
    return net


def torchvision_swin() -> nn.Module:
    torch.manual_seed(0)
    net: nn.Module = torchvision.models.SwinTransformer(
        *([4, 4], 8, [2, 2], [2, 2], [2, 2]), num_classes=3
    )
    nn.init.normal_(net.get_parameter("head.weight"))
    return net


def timm_vit(name: str = "vit_tiny_patch16_224", **options: Any) -> nn.Module:
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "img_size": SIDE,
        "patch_size": 8,
        "embed_dim": 16,
        "depth": 2,
        "num_heads": 2,
    }
    net: nn.Module = timm.create_model(name, **{"num_classes": 3, **shape, **options})
    nn.init.normal_(net.get_parameter("head.weight"))
    return net


CASES = [
    pytest.param(torchvision_vit, "encoder.layers.encoder_layer_0", (16, 4, 4), id="vit"),
    pytest.param(torchvision_vit, "conv_proj", (16, 4, 4), id="patches"),
    pytest.param(torchvision_swin, "features.1.0", (8, 8, 8), id="swin"),
    pytest.param(torchvision_swin, "features.3", (16, 4, 4), id="second stage of swin"),
    pytest.param(torchvision_swin, "features.0.0", (8, 8, 8), id="convolution of swin"),
    pytest.param(timm_vit, "blocks.0", (16, 4, 4), id="timm"),
    pytest.param(timm_vit, "patch_embed", (16, 4, 4), id="patches of timm"),
    pytest.param(
        lambda: timm_vit("deit_tiny_distilled_patch16_224"), "blocks.0", (16, 4, 4), id="two tokens"
    ),
    pytest.param(
        lambda: timm_vit(global_pool="avg", class_token=False), "blocks.1", (16, 4, 4), id="none"
    ),
    pytest.param(lambda: timm_vit(reg_tokens=4), "blocks.0", (16, 4, 4), id="registers"),
]


def images(count: int = 2) -> Tensor:
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("make", "layer", "shape"), CASES)
def test_maps_go_in_where_they_came_out(make: object, layer: str, shape: tuple[int, ...]) -> None:
    net = make().eval()  # type: ignore[operator]
    wrapping = VisionModality().wrapping(net, layer, "output")
    tap = TappedClassifier(net, layer, wrapping=wrapping)
    features = tap.features(images())
    assert features.shape == (2, *shape)
    with torch.no_grad():
        torch.testing.assert_close(tap.logits_with(images(), features), net(images()))
        changed = tap.logits_with(images(), features + 3 * torch.randn_like(features))
    assert not torch.allclose(changed, net(images()), atol=1e-4)


def test_a_map_has_the_patches_where_the_image_has_them() -> None:
    net = timm_vit().eval()
    tap = TappedClassifier(
        net, "patch_embed", wrapping=VisionModality().wrapping(net, "patch_embed", "output")
    )
    one, other = images(1), images(1)
    other[..., 8:16, 24:32] += 1  # the patch in row 1 and column 3
    changed = (tap.features(one) - tap.features(other)).abs().sum(1)[0] > 1e-6
    assert changed.nonzero().tolist() == [[1, 3]]


@pytest.mark.parametrize("size", [(14, 14), (2, 3), (7, 1)])
@pytest.mark.parametrize("prefix", [None, 0, 1, 5])
def test_tokens_before_those_of_the_patches_are_left_alone(
    size: tuple[int, int], prefix: int | None
) -> None:
    image = (16 * size[0], 16 * size[1])
    before = 1 if prefix is None else prefix
    tokens = torch.randn(2, before + size[0] * size[1], 5)
    layout = replace(TOKENS, prefix=prefix)
    maps = layout.maps(tokens, image)
    assert maps.shape == (2, 5, *size)
    assert torch.equal(maps[0, :, 0, 0], tokens[0, before])
    again = layout.put(tokens, maps * 2, image)
    assert torch.equal(again[:, :before], tokens[:, :before])
    assert torch.equal(again[:, before:], tokens[:, before:] * 2)


def patches(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return noise, every second picture with one bright patch of 8 × 8; and where, (row, col)."""
    generator = torch.Generator().manual_seed(seed)
    pictures = 0.5 * torch.randn(count, 3, SIDE, SIDE, generator=generator)
    place = torch.randint(4, (count, 2), generator=generator)
    for picture, (row, column) in zip(pictures[::2], place[::2].tolist(), strict=True):
        picture[:, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] += 1.5
    return pictures, place


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """Return a vision transformer that tells pictures with a bright patch from others."""
    net = timm_vit(num_classes=2, embed_dim=32)
    nn.init.zeros_(net.get_parameter("head.weight"))
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    labels = 1 - torch.arange(64) % 2
    for step in range(100):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(net(patches(64, step)[0]), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net


def attributor(net: nn.Module, layer: str) -> Attributor:
    made = Attributor(
        net, layer, prior=SaliencyPrior(), input_iba=InputBottleneck(opt_steps=30, lr=0.5)
    )
    made.estimate([patches(64, 1000)[0]])
    return made


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["patch_embed", "blocks.0"])
def test_the_bright_patch_is_found(trained: nn.Module, layer: str) -> None:
    pictures, place = patches(40, 2000)
    found = attributor(trained, layer).attribute(pictures[::2], [1] * 20)
    right = {"input_mask": 0, "feature_mask": 0}
    for record, (row, column) in zip(found, place[::2].tolist(), strict=True):
        assert isinstance(record, Attribution)
        for name in right:
            heat = getattr(record, name).reshape(4, 8, 4, 8).sum((1, 3))
            right[name] += int(heat.argmax()) == 4 * row + column
    assert min(right.values()) >= 19


def test_the_last_block_is_refused_where_only_the_class_token_is_read(trained: nn.Module) -> None:
    [record] = attributor(trained, "blocks.1").attribute(patches(1, 2000)[0], [1])
    assert isinstance(record, Failure)
    assert "no gradient" in record.reason
