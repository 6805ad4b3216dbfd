"""Every family of timm: a layer's map says where the image was changed, or the layer is refused."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.tap import TappedClassifier
from input_iba.errors import InputIBAError
from input_iba.modality import VisionModality
from tests.contract.convnets import CONVNETS
from tests.contract.family import EITHER, MAP, REFUSED, Family, awaken
from tests.contract.forms import FORMS
from tests.contract.hybrids import HYBRIDS
from tests.contract.one_grid import ONE_GRID
from tests.contract.probe import images, outputs, readings, share_in_place
from tests.contract.stages import STAGES

FAMILIES = {family.name: family for family in (*CONVNETS, *ONE_GRID, *STAGES, *HYBRIDS)}

QUICK = (
    "convnext_tiny",
    "vit_small_patch14_reg4_dinov2",
    "swin_tiny_patch4_window7_224",
    "hiera_tiny_224",
)
"""Families that are tried in the quick loop."""

PLACES = 0.55
"""Share of a map's positions that must move most where the image was changed; chance is 1/16."""


ROWS = [
    pytest.param(
        family, layer, id=f"{name}: {layer}", marks=() if name in QUICK else pytest.mark.slow
    )
    for name, family in FAMILIES.items()
    for layer in family.layers
]


@lru_cache(maxsize=2)
def network(name: str) -> nn.Module:
    torch.manual_seed(0)
    size = FAMILIES[name].size
    return awaken(FAMILIES[name].make(), torch.randn(8, 3, size, size))


@lru_cache(maxsize=2)
def read_right(name: str, layer: str) -> dict[str, float]:
    """Return for every way to read a layer's output which share of positions it puts right."""
    pixels = images(FAMILIES[name].size)
    raw = outputs(network(name), layer, pixels)
    return {how: share_in_place(maps) for how, maps in readings(raw, len(pixels)).items()}


def tapped(net: nn.Module, layer: str) -> TappedClassifier:
    return TappedClassifier(net, layer, wrapping=VisionModality().wrapping(net, layer, "output"))


def maps_of(net: nn.Module, layer: str, pixels: Tensor) -> Tensor | str:
    """Return a layer's maps, or why the toolkit refuses the layer."""
    try:
        features = tapped(net, layer).features(pixels)
        VisionModality().check_features(features, pixels, layer)
    except InputIBAError as error:
        return str(error)
    return features


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("family", "layer"), ROWS)
def test_the_map_is_where_the_change_is(family: Family, layer: str, form: str) -> None:
    best = max(read_right(family.name, layer).values(), default=0.0)
    if family.layers[layer] != EITHER:
        assert (best >= PLACES) == (family.layers[layer] == MAP), "the table is wrong"
    prefix, wrap = FORMS[form]
    pixels = images(family.size)
    with torch.no_grad():
        net = wrap(network(family.name))
        maps = maps_of(net, prefix + layer, pixels)
        if isinstance(maps, str):
            assert family.layers[layer] in (REFUSED, EITHER), maps
            assert "layout=" in maps
            return
        assert family.layers[layer] in (MAP, EITHER), f"a map of shape {tuple(maps.shape[1:])}"
        assert share_in_place(maps) >= max(best, PLACES) - 0.01, tuple(maps.shape[1:])
        tap = tapped(net, prefix + layer)
        back = tap.logits_with(pixels[:2], tap.features(pixels[:2]))
        torch.testing.assert_close(back, tap.logits(pixels[:2]))
