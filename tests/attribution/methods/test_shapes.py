"""Methods that explain signals and volumes too, and those that say that they do not."""

from __future__ import annotations

import pytest
import torch

from input_iba.attribution.methods import MethodAttributor
from input_iba.errors import AttributionError
from input_iba.records import Explanation
from tests.attribution.methods.settings import ATTENTION, attributor, quick
from tests.attribution.shapes import network, planted

PLANAR = {"rise", "ex_perturb"}
METHODS = quick("1")


@pytest.mark.parametrize("dims", [1, 3], ids=["signals", "volumes"])
@pytest.mark.parametrize("name", sorted(set(METHODS) - ATTENTION - PLANAR))
def test_maps_have_the_shape_of_the_input(name: str, dims: int) -> None:
    torch.manual_seed(0)
    inputs = planted(2, dims, seed=1)[0].double()
    made = attributor(network(dims).double(), METHODS[name], planted(6, dims, seed=2)[0].double())
    for record in made.attribute(inputs, [0, 1]):
        assert isinstance(record, Explanation), record
        assert record.map.shape == inputs.shape[2:]
        assert float(record.map.abs().max()) == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(PLANAR))
def test_methods_of_two_dimensions_say_so(name: str) -> None:
    made = MethodAttributor(network(1), METHODS[name])
    with pytest.raises(AttributionError, match=r"two dimensions .* inputs \(1, 64\)\. Occlusion"):
        made.attribute(planted(1, 1, seed=1)[0], 0)
