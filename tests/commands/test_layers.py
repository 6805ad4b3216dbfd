"""Listing layers, with data and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.commands.layers import list_layers
from input_iba.config.load import RunConfig, load_config
from input_iba.errors import ConfigError


def test_layers_have_shapes_and_the_chosen_one_is_marked(config: RunConfig) -> None:
    lines = {line.split()[0]: line for line in list_layers(config).splitlines()}
    assert lines["layer1"].split()[1:] == ["Sequential", "64×32×32", "<-", "attributor.layer"]
    assert "256×8×8" in lines["layer3"]
    assert "called 2 times: cannot be chosen" in lines["layer1.0.relu"]
    assert "no map: cannot be chosen" in lines["linear"]


def test_without_data_the_size_comes_from_the_pipeline(config_file: Path) -> None:
    nowhere = {"data.attribution.img_root": "nowhere", "data.estimation.img_root": "nowhere"}
    with pytest.raises(ConfigError, match="size of the input is not known"):
        list_layers(load_config(config_file, nowhere))
    resize = [{"type": "Resize", "height": 16, "width": 24}, {"type": "ToTensorV2"}]
    sized = {**nowhere, "data.attribution.pipeline": resize}
    assert "64×16×24" in list_layers(load_config(config_file, sized))
