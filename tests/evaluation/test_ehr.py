"""Effective heat ratios: known answers, the literal definition, and what must not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from input_iba.errors import EvaluationError
from input_iba.evaluation import EffectiveHeatRatios, effective_heat_ratios
from tests.evaluation import literal

BOX = (60, 40, 80, 60)


def boxed(value: float = 1.0) -> literal.Array:
    heat = np.zeros((120, 140))
    heat[40:60, 60:80] = value
    return heat


def test_a_box_filled_with_heat_scores_one() -> None:
    found = EffectiveHeatRatios(0.1).evaluate(boxed(), BOX, return_curve=True)
    assert found["auc"] > 0.99
    assert found["quantiles"].tolist() == pytest.approx([k / 10 for k in range(11)])
    assert found["ratios"].tolist() == pytest.approx([1.0] * 11)


def test_a_halo_around_the_box_costs() -> None:
    heat = np.zeros((120, 140))
    heat[20:80, 40:100] = 0.9
    heat[40:60, 60:80] = 1.0
    found = EffectiveHeatRatios(0.1).evaluate(heat, BOX, return_curve=True)
    assert found["auc"] < 0.8
    # 400 of 3600 points lie inside; the hottest ninth, and so the quantile 0.9 and above, are it.
    assert found["ratios"].tolist() == pytest.approx([1 / 9] * 9 + [1.0] * 2)


def test_the_weight_is_the_heat() -> None:
    weighted = EffectiveHeatRatios().evaluate(boxed(0.5), BOX)
    assert weighted["auc"] == pytest.approx(0.5)
    assert EffectiveHeatRatios().evaluate(boxed(0.5), BOX, weight_by_heat=False)["auc"] == 1.0


def test_a_map_without_heat_scores_nothing() -> None:
    assert EffectiveHeatRatios().evaluate(boxed(0.05), BOX)["auc"] == 0.0


def test_every_form_of_a_region() -> None:
    heat = np.random.default_rng(0).random((120, 140))
    mask = boxed() > 0
    halves = [(60, 40, 70, 60), (70, 40, 80, 60)]
    regions: list[Any] = [
        BOX,
        [BOX],
        np.array(BOX),
        torch.tensor([BOX]),
        halves,
        mask,
        mask.astype(np.uint8),
    ]
    regions += [torch.from_numpy(mask), 255 * mask.astype(np.uint8), [torch.tensor(BOX)]]
    scores = [EffectiveHeatRatios().evaluate(heat, region)["auc"] for region in regions]
    assert scores == [scores[0]] * len(scores)


# Few different values make ties; steps of 1/20 put some of them on the thresholds.
heats = arrays(np.float64, (5, 6), elements=st.integers(-2, 20).map(lambda k: k / 20))
smooth_heats = arrays(np.float64, (5, 6), elements=st.floats(0, 1))
regions = arrays(np.bool_, (5, 6))


@given(heats | smooth_heats, regions, st.sampled_from([0.0, 0.1, 0.5]), st.booleans())
def test_equals_the_literal_definition(
    heat: literal.Array, region: literal.Array, base: float, weighted: bool
) -> None:
    area, ratios = literal.ehr(heat, region, base, weighted)
    found = EffectiveHeatRatios(base).evaluate(heat, region, True, weighted)
    assert found["auc"] == pytest.approx(area, abs=1e-6)
    assert found["ratios"].tolist() == pytest.approx(ratios, abs=1e-6)
    assert 0 <= found["auc"] <= 1


@given(arrays(np.float32, (3, 4, 4), elements=st.floats(0, 1, width=32)), st.data())
def test_a_batch_is_its_maps_one_by_one(batch: literal.Array, data: st.DataObject) -> None:
    masks = data.draw(arrays(np.bool_, (3, 4, 4)))
    before = batch.copy()
    found = effective_heat_ratios(torch.from_numpy(batch), torch.from_numpy(masks))
    alone = [EffectiveHeatRatios().evaluate(h, m)["auc"] for h, m in zip(batch, masks, strict=True)]
    assert found.area.tolist() == pytest.approx(alone, abs=1e-12)
    assert np.array_equal(batch, before)


def test_the_callers_arrays_stay_as_they_are() -> None:
    heat = np.random.default_rng(0).random((120, 140))
    heat.flags.writeable = False
    tensor = torch.from_numpy(heat.copy())
    EffectiveHeatRatios(0.5).evaluate(heat, BOX)
    EffectiveHeatRatios(0.5).evaluate(tensor, BOX)
    assert np.array_equal(tensor.numpy(), heat)


@pytest.mark.parametrize(
    ("heat", "roi", "message"),
    [
        (np.zeros((3, 4, 4)), BOX, "one value per pixel"),
        (np.full((120, 140), np.nan), BOX, "NaN"),
        (boxed(3.0), BOX, "Divide the map"),
        (boxed(), (80, 40, 60, 60), "x1 ≤ x2"),
        (boxed(), np.zeros((7, 9)), "four finite numbers"),
        (boxed(), (1, 2, np.nan, 4), "four finite numbers"),
        (np.zeros((0, 4)), BOX, "no values"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    heat: literal.Array, roi: literal.Array, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        EffectiveHeatRatios().evaluate(heat, roi)


def test_maps_and_regions_must_have_one_size() -> None:
    with pytest.raises(EvaluationError, match="Resize"):
        effective_heat_ratios(torch.rand(2, 4, 4), torch.ones(2, 4, 5))
