"""From configs to classifiers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from input_iba.errors import CheckpointError, ConfigError, InputIBAError, MissingExtraError
from input_iba.models import build_classifier
from input_iba.models.build import torchvision_weights
from input_iba.registry import CLASSIFIERS


def test_torchvision_without_weights() -> None:
    model = build_classifier({"type": "resnet18", "num_classes": 5})
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


def test_timm_without_weights() -> None:
    pytest.importorskip("timm")
    model = build_classifier({"source": "timm", "type": "resnet10t", "num_classes": 5})
    assert not model.training
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


@pytest.mark.parametrize(
    "cfg",
    [
        {"type": "resnet18", "num_classes": 3},
        {"source": "timm", "type": "resnet10t", "num_classes": 3},
        {"source": "custom", "type": "ResNet", "depth": 8, "num_classes": 3},
        {"source": "efficientnet_lite", "type": "efficientnet_lite0", "num_classes": 3},
    ],
)
def test_every_source_loads_a_checkpoint(tmp_path: Path, cfg: dict[str, Any]) -> None:
    torch.manual_seed(0)
    trained = build_classifier(cfg)
    torch.save(trained.state_dict(), tmp_path / "net.pth")
    loaded = build_classifier({**cfg, "pretrained": str(tmp_path / "net.pth")})
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(images), trained(images))
        assert not torch.equal(build_classifier(cfg)(images), trained(images))


@pytest.mark.parametrize(
    ("cfg", "error", "message"),
    [
        ({"type": "vgg_16"}, ConfigError, "Closest: 'vgg16'"),
        ({}, ConfigError, "needs the key 'type'"),
        ({"source": "torchvison", "type": "vgg16"}, ConfigError, "Closest: 'torchvision'"),
        ({"type": "resnet18", "depht": 3}, ConfigError, "depht"),
        ({"type": "resnet18", "num_classes": 0}, ConfigError, "positive integer"),
        ({"type": "resnet18", "pretrained": 3}, ConfigError, "got 3"),
        ({"type": "resnet18", "pretrained": "IMAGENET1K_V9"}, ConfigError, "IMAGENET1K_V1"),
        ({"type": "resnet18", "pretrained": True, "num_classes": 10}, ConfigError, "checkpoint"),
        ({"type": "resnet18", "pretrained": "none.pth"}, CheckpointError, "found nothing"),
        ({"source": "timm", "type": "resnet_10t"}, ConfigError, "Closest: 'resnet10t'"),
        (
            {"source": "timm", "type": "resnet10t", "pretrained": True, "num_classes": 2},
            ConfigError,
            "1000 classes",
        ),
        ({"source": "custom", "type": "Resnet"}, ConfigError, "Closest: 'ResNet'"),
        ({"source": "custom", "type": "ResNet", "depht": 8}, ConfigError, "Closest: 'depth'"),
        ({"source": "custom", "type": "SmallVGG", "pretrained": True}, ConfigError, "path"),
        ({"source": "efficientnet_lite", "type": "lite0"}, ConfigError, "efficientnet_lite0"),
        (
            {"source": "efficientnet_lite", "type": "efficientnet_lite1", "pretrained": True},
            ConfigError,
            "only EfficientNet-Lite weights",
        ),
    ],
)
def test_what_errors_say(cfg: dict[str, Any], error: type[InputIBAError], message: str) -> None:
    with pytest.raises(error, match=message):
        build_classifier(cfg)


def test_true_means_the_weights_of_old_configs() -> None:
    assert torchvision_weights("resnet50", True).name == "IMAGENET1K_V1"
    assert torchvision_weights("vgg16", True).name == "IMAGENET1K_V1"
    assert torchvision_weights("resnet50", "IMAGENET1K_V2").name == "IMAGENET1K_V2"
    assert torchvision_weights("resnet50", "ResNet50_Weights.DEFAULT").name == "IMAGENET1K_V2"
    assert torchvision_weights("resnet50", "folder/IMAGENET1K_V2.pth") is None
    assert torchvision_weights("resnet50", False) is None


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(CheckpointError, match=r"resnet18.*not known.*path in `pretrained`"):
        build_classifier({"type": "resnet18", "pretrained": True})


@pytest.fixture
def own_network() -> Iterator[str]:
    CLASSIFIERS.register_module(name="OwnNet", module=lambda width=3: nn.Conv2d(3, width, 1))
    yield "OwnNet"
    del CLASSIFIERS.module_dict["OwnNet"]


def test_a_network_of_the_users_own(own_network: str) -> None:
    model = build_classifier({"source": "custom", "type": own_network, "width": 5})
    assert isinstance(model, nn.Conv2d)
    assert model.out_channels == 5


def test_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtraError, match=r"input-iba\[models\]"):
        build_classifier({"source": "timm", "type": "resnet18"})
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(MissingExtraError, match=r"input-iba\[samples\]"):
        build_classifier({"source": "efficientnet_lite", "type": "efficientnet_lite0"})
