"""Layers are listed before data or weights are there."""

from pathlib import Path

import pytest

from input_iba.commands.layers import list_layers
from input_iba.config.load import load_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("resnet50_imagenet.py", "layer2 Sequential 512×28×28 <- attributor.layer"),
        ("cifar10/resnet_cifar10_test.py", "layer1 Sequential 64×32×32 <- attributor.layer"),
    ],
)
def test_shipped_configs_list_their_layer(
    name: str, row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [
        " ".join(line.split()) for line in list_layers(load_config(CONFIGS / name)).split("\n")
    ]
    assert row in lines
