"""Pointing game, mass in the region, overlap: known answers and the literal definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from input_iba.errors import EvaluationError
from input_iba.evaluation import (
    best_iou,
    box_mask,
    localise,
    mass_inside,
    pointing_game,
    region_iou,
    top_inside,
)
from tests.evaluation import literal
from tests.reference import metrics

# Few different values make ties, and put some of them on the thresholds.
heats = arrays(np.float64, (6, 7), elements=st.integers(-4, 4).map(lambda k: k / 4))
regions = arrays(np.bool_, (6, 7))


@given(heats, regions, st.sampled_from([0, 1, 1.5, 2, 3.7, 20]), st.sampled_from([0.25, 0.5, 1]))
def test_equals_the_literal_definitions(
    heat: literal.Array, region: literal.Array, tolerance: float, threshold: float
) -> None:
    assume(region.any())
    maps, masks = torch.from_numpy(heat)[None], torch.from_numpy(region)[None]
    found = localise(maps, masks, tolerance, threshold)
    expected = literal.pointing_game(heat, region, tolerance)
    assert found.hit.item() == pytest.approx(expected, abs=1e-6)
    assert found.mass.item() == pytest.approx(literal.mass_inside(heat, region), abs=1e-6)
    assert found.iou.item() == pytest.approx(literal.region_iou(heat, region, threshold), abs=1e-6)
    best = metrics.best_iou(heat, region)
    assert found.best_iou.item() == pytest.approx(best, abs=1e-6)
    assert best >= literal.region_iou(heat, region, threshold)
    for k, shares in ((None, found.rank), (1, top_inside(maps, masks, 1))):
        expected = literal.top_inside(heat, region, k or int(region.sum()))
        assert shares.item() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 99))
def test_a_batch_is_its_maps_one_by_one(seed: int) -> None:
    draws = np.random.default_rng(seed)
    maps = torch.from_numpy(draws.normal(size=(4, 6, 7)))
    masks = torch.from_numpy(draws.random((4, 6, 7)) < 0.3)
    masks[:, 2, 3] = True
    found = localise(maps, masks, 2)
    for i in range(4):
        alone = localise(maps[i : i + 1], masks[i : i + 1], 2)
        for score in ("hit", "mass", "iou", "rank", "best_iou"):
            assert getattr(found, score)[i] == pytest.approx(getattr(alone, score).item())


def test_the_pointing_game_of_one_point() -> None:
    heat = torch.zeros(1, 60, 60)
    heat[0, 10, 10] = 1
    for x1, hits in ((10, 1), (25, 1), (26, 0)):  # 15 pixels beside the point still count
        region = box_mask(torch.tensor([x1, 5, x1 + 10, 15]), 60, 60)[None]
        assert pointing_game(heat, region).tolist() == [hits]
    corner = box_mask(torch.tensor([21, 21, 40, 40]), 60, 60)[None]  # 11·√2 > 15 pixels away
    assert pointing_game(heat, corner).tolist() == [0]
    assert pointing_game(heat, corner, 16).tolist() == [1]


def test_equally_hot_points_share_the_hit() -> None:
    heat, region = torch.zeros(2, 4, 4), torch.zeros(2, 4, 4, dtype=torch.uint8)
    heat[0, 0, 0] = heat[0, 3, 3] = heat[0, 0, 3] = 1
    region[:, 0, 3] = 255
    assert pointing_game(heat, region, 0).tolist() == pytest.approx([1 / 3, 1 / 16])


def test_a_map_that_is_its_region_scores_one() -> None:
    region = box_mask(torch.tensor([2, 1, 5, 4]), 6, 7)[None]
    perfect = localise(0.3 * region.float(), region, 0)
    assert (perfect.hit.item(), perfect.mass.item(), perfect.iou.item()) == (1, 1, 1)
    assert (perfect.rank.item(), perfect.best_iou.item()) == (1, 1)
    outside = localise((~region).float(), region, 0)
    assert (outside.hit.item(), outside.mass.item(), outside.iou.item()) == (0, 0, 0)
    assert outside.rank.item() == 0
    flat = localise(torch.ones(1, 6, 7), region, 0)
    share = 9 / 42
    assert [flat.mass.item(), flat.iou.item()] == pytest.approx([share, share])


def test_the_best_threshold_does_not_depend_on_contrast() -> None:
    region = box_mask(torch.tensor([2, 1, 5, 4]), 6, 7)[None]
    heat = 0.9 + 0.1 * region.double()
    heat[0, 2, 3] = 50  # one peak, below half of which the region lies
    found = localise(heat, region)
    assert found.iou.item() == pytest.approx(1 / 9)
    assert found.best_iou.item() == 1


def test_a_map_without_heat_scores_nothing() -> None:
    maps, region = torch.full((2, 4, 4), -1.0), torch.ones(2, 4, 4)
    maps[1] = 0
    assert mass_inside(maps, region).tolist() == [0, 0]
    assert region_iou(maps, region).tolist() == best_iou(maps, region).tolist() == [0, 0]


def test_what_cannot_be_scored_is_refused() -> None:
    maps, region = torch.rand(2, 4, 4), torch.ones(2, 4, 4)
    with pytest.raises(EvaluationError, match="Resize"):
        localise(maps, torch.ones(2, 4, 5))
    with pytest.raises(EvaluationError, match="NaN"):
        localise(maps / 0 - maps / 0, region)
    region[1] = 0
    with pytest.raises(EvaluationError, match=r"\[1\] hold no pixel"):
        mass_inside(maps, region)
    with pytest.raises(EvaluationError, match="tolerance"):
        pointing_game(maps[:1], region[:1], -1)
    for k in (0, 17):
        with pytest.raises(EvaluationError, match="1 to 16"):
            top_inside(maps[:1], region[:1], k)
    for threshold in (0, 1.1, float("nan")):
        with pytest.raises(EvaluationError, match="threshold"):
            region_iou(maps[:1], region[:1], threshold)
