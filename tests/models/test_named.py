"""Classifiers by name: where they come from, and how their images are prepared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from input_iba.errors import CheckpointError, ConfigError, MissingExtraError
from input_iba.models.named import named_model
from input_iba.models.prepared import NamedModel


def test_the_default_is_prepared_as_in_its_config() -> None:
    model = named_model("efficientnet_lite0")
    assert (model.source, model.size, model.shorter) == ("efficientnet_lite", 224, 224)
    assert (model.mean, model.std) == ([127 / 255] * 3, [128 / 255] * 3)
    assert named_model("efficientnet_lite4").size == 300


def test_torchvision_comes_before_timm_unless_timm_is_named() -> None:
    first = named_model("resnet18")
    assert (first.source, first.type, first.shorter) == ("torchvision", "resnet18", 256)
    other = named_model("timm/resnet18")
    assert (other.source, other.type, other.shorter) == ("timm", "resnet18", 235)
    assert named_model("mobilenetv3_large_100.miil_in21k").num_classes == 11221


def test_the_weights_decide_how_images_are_prepared() -> None:
    assert named_model("resnet50").shorter == 256
    assert named_model("resnet50", "IMAGENET1K_V2").shorter == 232
    assert named_model("resnet50", "my/checkpoint.pth").shorter == 256
    assert named_model("inception_v3").size == 299


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vgg_16", "Closest: 'vgg16'"),
        ("efficientnet_lite9", "Closest: 'efficientnet_lite"),
        ("timm/no_such_net", "Unknown model 'timm/no_such_net'"),
    ],
)
def test_what_errors_say(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        named_model(name)


def test_a_file_of_weights_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "my.pt").write_bytes(b"")
    with pytest.raises(ConfigError, match="--model resnet18 --weights FILE"):
        named_model(str(tmp_path / "my.pt"))


def test_a_place_that_is_neither_folder_nor_on_the_hub_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"'no/such/folder'.*preprocessor_config\.json"):
        named_model("no/such/folder")


def test_without_timm_the_others_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    assert named_model("vgg16") == NamedModel(
        "torchvision", "vgg16", mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]
    )
    with pytest.raises(ConfigError, match=r"input-iba\[models\]"):
        named_model("mobilenetv3_small_100")
    with pytest.raises(MissingExtraError, match="timm"):
        named_model("timm/resnet18")
