"""Compiled networks that have run before, alone and within a module."""

from __future__ import annotations

import warnings

import pytest
import torch

from tests.contract.forms import Mine, compiled
from tests.contract.probe import images
from tests.contract.test_images import FAMILIES, maps_of, network

CASES = [
    ("resnet18", "layer2"),
    ("vit_tiny_patch16_224", "blocks.0"),
    ("swin_tiny_patch4_window7_224", "layers.1.blocks.0"),
    ("mixer_s16_224", "blocks.0"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_a_compiled_network_has_the_same_map(name: str, layer: str) -> None:
    pixels = images(FAMILIES[name].size)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = maps_of(network(name), layer, pixels)
        net = compiled(network(name))
        net(pixels[:1])  # as its owner has used it before
        found = maps_of(net, f"_orig_mod.{layer}", pixels)
        within = maps_of(Mine(net), f"backbone._orig_mod.{layer}", pixels)
    torch._dynamo.reset()
    assert isinstance(plain, torch.Tensor)
    assert isinstance(found, torch.Tensor), found
    assert isinstance(within, torch.Tensor), within
    torch.testing.assert_close(found, plain)
    torch.testing.assert_close(within, plain)
