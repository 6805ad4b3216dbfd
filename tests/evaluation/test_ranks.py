"""The order of heat: equal values share what their places would give them."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from input_iba.evaluation import (
    box_mask,
    correlated,
    degradation,
    effective_heat_ratios,
    insertion_deletion,
    is_tied,
    localise,
    top_inside,
    top_overlap,
)
from input_iba.evaluation.ranks import ranks
from tests.evaluation.literal import Array

few_values = arrays(np.float64, (2, 3), elements=st.integers(0, 2).map(float))


@given(arrays(np.float64, (3, 4, 5), elements=st.integers(-3, 3).map(float)))
def test_every_place_is_taken_once_and_hotter_pixels_come_first(values: Array) -> None:
    heats = torch.from_numpy(values)
    found = ranks(heats).flatten(1)
    assert found.sort(dim=1).values.tolist() == [list(range(20))] * 3
    ordered = heats.flatten(1).gather(1, found.argsort(dim=1))
    assert (ordered.diff(dim=1) <= 0).all()


def test_ties_follow_one_order_that_is_not_the_reading_order() -> None:
    flat = ranks(torch.zeros(2, 30, 30))
    assert torch.equal(flat[0], flat[1])
    assert torch.equal(flat[0], ranks(torch.full((1, 30, 30), 0.7))[0])
    # The first half of the places lies in every quarter alike: 225 pixels each, 112.5 expected.
    first = (flat[0] < 450).double()
    for rows in (slice(0, 15), slice(15, 30)):
        for columns in (slice(0, 15), slice(15, 30)):
            assert 85 < first[rows, columns].sum() < 140


@pytest.mark.parametrize("words", range(4, 65))
def test_short_texts_are_not_changed_along_reading_order(words: int) -> None:
    drawn, read = ranks(torch.zeros(1, words)), torch.arange(words)[None]
    correlation = torch.corrcoef(torch.cat([drawn, read]).double())[0, 1].item()
    assert abs(correlation) < 1.2 / (words - 1) ** 0.5  # 1.2 deviations of a random order's


@given(st.lists(st.integers(0, 2), min_size=1, max_size=20), st.integers(0, 8))
def test_padding_changes_no_order(values: list[int], padding: int) -> None:
    heat = torch.tensor([values], dtype=torch.float64)
    padded = torch.nn.functional.pad(heat, (0, padding), value=-torch.inf)
    assert torch.equal(ranks(padded)[:, : len(values)], ranks(heat))


@given(few_values, arrays(np.bool_, (2, 3)), st.integers(1, 6))
def test_top_inside_is_the_mean_over_all_orders_of_ties(heat: Array, region: Array, k: int) -> None:
    region.flat[0] = True
    orders = [
        order
        for order in permutations(range(6))
        if all(heat.flat[a] >= heat.flat[b] for a, b in pairwise(order))
    ]
    expected = np.mean([np.mean([region.flat[i] for i in order[:k]]) for order in orders])
    found = top_inside(torch.from_numpy(heat)[None], torch.from_numpy(region)[None], k)
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("box", [(0, 0, 20, 5), (0, 15, 20, 20), (7, 7, 17, 17)])
@pytest.mark.parametrize("value", [0.5, 0.1, 1.0])
def test_a_constant_map_gets_chance_wherever_the_region_lies(
    box: tuple[int, ...], value: float
) -> None:
    region = box_mask(torch.tensor(box), 20, 20)[None]
    heat = torch.full((1, 20, 20), value, dtype=torch.float64)
    found = localise(heat, region, tolerance=0)
    for score in (found.hit, found.mass, found.iou, found.rank):
        assert score.item() == pytest.approx(0.25)
    ratios = effective_heat_ratios(heat, region, weight_by_heat=False)
    assert ratios.area.item() == pytest.approx(0.25)


@given(st.permutations(range(12)), arrays(np.float64, 12, elements=st.sampled_from([0, 0.5, 1])))
def test_heat_ratios_do_not_depend_on_the_order_of_ties(order: list[int], heat: Array) -> None:
    heats, region = torch.from_numpy(heat).view(1, 3, 4), (torch.arange(12) < 4).view(1, 3, 4)
    found = effective_heat_ratios(heats, region).ratios
    moved = [values.flatten()[order].view(1, 3, 4) for values in (heats, region)]
    torch.testing.assert_close(effective_heat_ratios(moved[0], moved[1]).ratios, found)


def half_detector(inputs: Tensor) -> Tensor:
    """Logits that know class 1 by the top half alone, class 2 by the bottom half."""
    top, bottom = inputs[:, 0, :30].mean((1, 2)), inputs[:, 0, 30:].mean((1, 2))
    return torch.stack([torch.zeros_like(top), 4 * top, 4 * bottom], 1)


def test_a_constant_map_does_not_gain_by_where_the_object_lies() -> None:
    inputs, flat = torch.ones(1, 1, 60, 60), torch.full((1, 60, 60), 0.5)
    # In reading order the top half goes first: 0.15 for its class, 0.78 for the other.
    deleted, degraded = zip(
        *(
            (
                insertion_deletion(half_detector, inputs, flat, [target], 100).deletion_auc.item(),
                degradation(half_detector, inputs, flat, [target], 2).morf_auc.item(),
            )
            for target in (1, 2)
        ),
        strict=True,
    )
    assert deleted[0] == pytest.approx(deleted[1], abs=0.04)
    assert degraded[0] == pytest.approx(degraded[1], abs=0.08)  # 900 tiles, not 3,600 pixels


def test_degradation_of_a_constant_map_is_the_same_both_ways() -> None:
    inputs, flat = torch.randn(1, 1, 60, 60), torch.full((1, 60, 60), 0.1)
    found = degradation(half_detector, inputs, flat, [1], 4)
    assert torch.equal(found.morf, found.lerf)


def test_a_constant_map_correlates_with_nothing() -> None:
    sets = torch.stack([torch.randperm(50_000) < 40_000 for _ in range(8)])
    found = correlated(torch.randn(1, 8).double(), sets, torch.full((1, 50_000), 0.1))
    assert found.correlation.item() == 0


@pytest.mark.parametrize(
    ("values", "tied"),
    [([0, 0, 1, 2], False), ([0, 0, 0, 2], True), ([3], False), ([1, 1], True), ([1, 2, 3], False)],
)
def test_a_map_is_tied_where_most_values_are_equal(values: list[float], tied: bool) -> None:
    assert is_tied(torch.tensor(values)) is tied


def test_at_least_one_unit_is_hottest() -> None:
    one = torch.tensor([[[4.0, 1.0], [2.0, 3.0]]])
    other = torch.tensor([[[4.0, 3.0], [2.0, 1.0]]])
    assert top_overlap(one, other, 0.05).tolist() == [1.0]
    assert top_overlap(one, other, 0.5).tolist() == [0.5]
