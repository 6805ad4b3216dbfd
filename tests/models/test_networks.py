"""The structure of our own networks: names, shapes, channels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from input_iba.errors import ConfigError
from input_iba.models import CifarResNet, SmallVGG


def outputs(model: nn.Module, size: int = 32) -> dict[str, tuple[int, ...]]:
    """Return each module's output shape, without the batch."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda _m, _i, out, name=name: shapes.__setitem__(name, tuple(out.shape[1:]))
        )
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size))
    return shapes


@pytest.mark.slow
def test_small_vgg_is_vgg_11_without_its_last_block() -> None:
    model = SmallVGG(num_classes=10)
    convolutions = [m for m in model.features if isinstance(m, nn.Conv2d)]
    assert [m.out_channels for m in convolutions] == [64, 128, 256, 256, 512, 512]
    shapes = outputs(model)
    assert shapes["features.14"] == (512, 4, 4)
    assert len(model.features) == 15
    assert shapes["avgpool"] == (512, 7, 7)
    linear = [m for m in model.classifier if isinstance(m, nn.Linear)]
    assert [m.out_features for m in linear] == [4096, 10]
    assert any(isinstance(m, nn.Dropout) for m in model.classifier)


@pytest.mark.parametrize(
    ("depth", "blocks", "channels"),
    [
        (8, [1, 1, 1], 256),
        (10, [1, 1, 1, 1], 512),
        (18, [2, 2, 2, 2], 512),
        (34, [3, 4, 6, 3], 512),
        (50, [3, 4, 6, 3], 2048),
        (101, [3, 4, 23, 3], 2048),
    ],
)
def test_resnet_stages(depth: int, blocks: list[int], channels: int) -> None:
    model = CifarResNet(depth, num_classes=7)
    stages = [model.get_submodule(f"layer{i + 1}") for i in range(len(blocks))]
    assert [len(list(stage.children())) for stage in stages] == blocks
    shapes = outputs(model)
    assert shapes["conv1"] == (64, 32, 32)
    expansion = 4 if depth >= 50 else 1
    for i in range(len(blocks)):
        assert shapes[f"layer{i + 1}"] == (64 * 2**i * expansion, 32 // 2**i, 32 // 2**i)
    assert model.linear.in_features == channels
    assert shapes["linear"] == (7,)


def test_a_resnet_may_be_narrower() -> None:
    shapes = outputs(CifarResNet(10, width=8))
    sides = {"conv1": (8, 32), "layer1": (8, 32), "layer2": (16, 16), "layer4": (64, 4)}
    assert {name: shapes[name][:2] for name in sides} == sides
    assert CifarResNet(50, width=8).linear.in_features == 256
    with pytest.raises(ConfigError, match="width=0"):
        CifarResNet(8, width=0)


def test_number_of_weighted_layers_is_the_depth() -> None:
    for depth in (8, 10, 18, 34, 50, 101):
        model = CifarResNet(depth)
        on_path = [
            name
            for name, m in model.named_modules()
            if isinstance(m, nn.Conv2d | nn.Linear) and "shortcut" not in name
        ]
        assert len(on_path) == depth


def test_resnet_takes_any_size() -> None:
    assert outputs(CifarResNet(8), 48)["linear"] == (10,)


def test_unknown_depth_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"depth 9.*8, 10, 18"):
        CifarResNet(depth=9)
