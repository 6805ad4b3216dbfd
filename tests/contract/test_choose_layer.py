"""The layer that is chosen for a family has a map, and the map is where the image was changed."""

from __future__ import annotations

import pytest
import torch

from input_iba.modality.layer_choice import choose_layer
from tests.contract.family import EITHER, Family
from tests.contract.probe import images, share_in_place
from tests.contract.test_images import FAMILIES, PLACES, QUICK, maps_of, network, read_right

NETWORKS = [
    pytest.param(family, id=name, marks=() if name in QUICK else pytest.mark.slow)
    for name, family in FAMILIES.items()
]


@pytest.mark.parametrize("family", NETWORKS)
def test_the_chosen_layer_has_a_map_where_the_change_is(family: Family) -> None:
    net = network(family.name)
    with torch.no_grad():
        layer = choose_layer(net, family.size)
        assert "drop_path" not in layer, f"{layer} is a branch beside what goes on"
        maps = maps_of(net, layer, images(family.size))
        assert not isinstance(maps, str), f"{layer} is refused: {maps}"
        assert min(maps.shape[-2:]) > 1, f"{layer}: {tuple(maps.shape[1:])}"
        share = share_in_place(maps)
        best = max(read_right(family.name, layer).values(), default=0.0)
        # Deep layers of networks that are not trained move everywhere: no reading does better.
        if best >= PLACES or EITHER in family.layers.values():
            right = max(best, PLACES) - 0.01
            assert share >= right, f"{layer}: {share:.2f} of positions are right, not {right:.2f}"
