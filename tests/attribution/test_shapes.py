"""Signals, images and volumes: what was planted is found, and every stage takes every shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

import input_iba
from input_iba.attribution import (
    Attributor,
    ConstantPrior,
    FeatureIBA,
    InputBottleneck,
    Preset,
    Prior,
    SaliencyPrior,
    SlicedWassersteinPrior,
    WGANPrior,
)
from input_iba.errors import AttributionError, ConfigError, DataError
from input_iba.evaluation.insertion_deletion import insertion_deletion
from input_iba.modality import VisionModality
from input_iba.records import Attribution, Failure
from tests.attribution.shapes import SIDES, network, planted, trained, usual_inputs
from tests.conftest import Unchanged

EVERY = pytest.mark.parametrize("dims", [1, 2, 3], ids=["signals", "images", "volumes"])
FEW = FeatureIBA(opt_steps=2, batch_size=2)
STEPS = InputBottleneck(opt_steps=2, batch_size=2)
PRIORS: list[Prior] = [
    ConstantPrior(),
    SaliencyPrior(),
    SlicedWassersteinPrior(steps=2, dataset_size=8, batch_size=4),
    WGANPrior(epochs=1, dataset_size=8, batch_size=4),
]


def inside(maps: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return whether the hottest element of maps (S, 1, …) lies within, and the share of many."""
    heats, within = maps.flatten(1), places.flatten(1).double()
    many = int(within[0].sum()) // 2
    hottest = heats.topk(many, 1).indices
    return within.gather(1, hottest[:, :1])[:, 0], within.gather(1, hottest).mean(1)


def small(dims: int, prior: Prior | None = None, double: bool = False) -> Attributor:
    torch.manual_seed(0)
    net = network(dims, channels=3, classes=3)
    net = net.double() if double else net
    prior = prior or SaliencyPrior()
    attributor = Attributor(net, "1", feature_iba=FEW, prior=prior, input_iba=STEPS)
    inputs = planted(6, dims, seed=5)[0]
    attributor.estimate([inputs.double() if double else inputs])
    return attributor


def maps(found: Sequence[Attribution | Failure]) -> Tensor:
    assert all(isinstance(record, Attribution) for record in found), found
    return torch.stack([record.map for record in found if isinstance(record, Attribution)])


@EVERY
def test_the_burst_is_found(dims: int) -> None:
    inputs, classes, places = planted(100, dims, seed=1)
    iba = input_iba.InputIBA(trained(dims), layer="4").fit(usual_inputs(dims)[0])
    found = iba.attribute(inputs, classes)
    first, many = inside(found.maps, places)
    assert found.maps.shape == inputs.shape
    assert first.mean() >= 0.95
    assert many.mean() >= 0.8


@EVERY
def test_a_layer_is_chosen_whose_map_has_places(dims: int) -> None:
    inputs, classes, places = planted(20, dims, seed=1)
    first, _ = inside(input_iba.explain(trained(dims), inputs, classes).maps, places)
    assert first.mean() >= 0.8  # statistics from views of these few alone


@EVERY
@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: type(prior).__name__)
def test_inputs_of_a_batch_do_not_change_each_others_maps(dims: int, prior: Prior) -> None:
    attributor, inputs = small(dims, prior, double=True), planted(3, dims, seed=2)[0].double()
    together = maps(attributor.attribute(inputs, [0, 1, 2], ids=["a", "b", "c"], seed=3))
    assert together.shape == inputs[:, 0].shape
    assert float(together.sum()) > 0
    for i, name in enumerate("abc"):
        [alone] = maps(attributor.attribute(inputs[i : i + 1], [i], ids=[name], seed=3))
        torch.testing.assert_close(alone, together[i], rtol=1e-7, atol=1e-9)


@EVERY
def test_masks_and_features_have_the_shapes_of_records(dims: int) -> None:
    inputs = planted(1, dims, seed=2)[0]
    [found] = small(dims).attribute(inputs, [0])
    assert isinstance(found, Attribution)
    size = (SIDES[dims],) * dims
    for mask in (found.map, found.input_mask, found.feature_mask, found.prior_mask):
        assert tuple(mask.shape) == size
    assert tuple(found.feature_capacity.shape) == size  # the layer is before the pool
    torch.testing.assert_close(found.feature_mask.sum(), found.feature_capacity.sum())


@EVERY
def test_the_model_comes_back_as_it_was(dims: int, unchanged: Unchanged) -> None:
    attributor, inputs = small(dims), planted(2, dims, seed=2)[0]

    def interrupt(stage: str, *_: object) -> None:
        if stage == "InputIBA":
            raise InterruptedError

    with unchanged(attributor.model):
        attributor.attribute(inputs, [0, 1])
    with unchanged(attributor.model), pytest.raises(InterruptedError):
        attributor.attribute(inputs, [0, 1], progress=interrupt)


@EVERY
def test_the_hottest_elements_bring_the_class_and_take_it_away(dims: int) -> None:
    net, (inputs, classes, places) = trained(dims), planted(8, dims, seed=3)
    right, nothing = (
        insertion_deletion(net, inputs, heats, classes, pixel_batch_size=10, sigma=2.0)
        for heats in (places.float(), 1 - places.float())
    )
    assert bool((right.insertion_auc > nothing.insertion_auc).all())
    assert bool((right.deletion_auc < nothing.deletion_auc).all())
    assert float((right.difference - nothing.difference).mean()) > 0.5


def preset() -> Preset:
    return Preset(FEW, SaliencyPrior(), STEPS, n_samples=10)


@EVERY
def test_one_input_is_told_from_several_by_the_models_convolutions(dims: int) -> None:
    inputs = planted(2, dims, seed=2)[0]
    net = network(dims).eval()
    several = input_iba.explain(net, inputs, 0, preset=preset(), layer="1")
    listed = input_iba.explain(net, list(inputs), 0, preset=preset(), layer="1")
    one = input_iba.explain(net, inputs[0], 0, preset=preset(), layer="1")
    assert several.maps.shape == inputs.shape
    torch.testing.assert_close(several.maps, listed.maps)
    assert one.maps.shape == inputs[:1].shape


@pytest.mark.parametrize(
    ("dims", "shape", "said"),
    [
        (1, (2, 3, 8, 8), r"^Signals are .* \(samples, channels, length\).*"
         r"takes images: modality=VisionModality\(2\)"),
        (2, (2, 1, 4, 8, 8), r"^Images are .*takes volumes: modality=VisionModality\(3\)"),
        (3, (1, 8, 8, 8), r"^Volumes are .* \(samples, channels, depth, height, width\).*"
         r"Give x\[None\] for one volume"),
    ],
)  # fmt: skip
def test_another_shape_is_refused_with_the_remedy(
    dims: int, shape: tuple[int, ...], said: str
) -> None:
    attributor = Attributor(network(dims), "1")
    with pytest.raises(AttributionError, match=re.compile(said, re.DOTALL)):
        attributor.estimate([torch.randn(*shape)])


def test_a_number_of_dimensions_can_be_said_and_is_checked() -> None:
    assert VisionModality(3).dims_of(network(1)) == 3
    with pytest.raises(ConfigError, match="1, 2 or 3"):
        VisionModality(4)
    with pytest.raises(DataError, match=r"signals \(channels, length\).*got Tensor \(2, 2, 2, 2\)"):
        input_iba.explain(network(1), [torch.ones(2, 2, 2, 2)])
