"""Degradation: known answers, the literal procedure, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from input_iba.errors import EvaluationError
from input_iba.evaluation import Degradation, degradation
from input_iba.evaluation.tiles import tile_ranks
from tests.conftest import Unchanged
from tests.evaluation import literal
from tests.evaluation.nets import linear, network, probability_of

SIZE = (6, 8)


def test_tiles_are_ranked_by_their_sums() -> None:
    heat = torch.zeros(1, 4, 6)
    heat[0, 2:, :3] = 0.5
    heat[0, 0, 5], heat[0, 3, 5] = 2.0, -1.0
    places = tile_ranks(heat, (2, 3))
    assert places[0, ::2, ::3].tolist() == [[2, 1], [0, 3]]
    assert tile_ranks(heat, (2, 3), least_first=True)[0, ::2, ::3].tolist() == [[1, 2], [3, 0]]


@given(st.integers(1, 7), st.integers(1, 9), st.integers(0, 5), st.booleans())
def test_every_tile_has_one_place(height: int, width: int, seed: int, least_first: bool) -> None:
    heats = torch.rand(2, *SIZE, generator=torch.Generator().manual_seed(seed))
    places = tile_ranks(heats, (height, width), least_first)
    tiles = -(-SIZE[0] // height) * -(-SIZE[1] // width)
    for of_map in places:
        assert of_map.unique().tolist() == list(range(tiles))
        for row in range(0, SIZE[0], height):
            for column in range(0, SIZE[1], width):
                assert len(of_map[row : row + height, column : column + width].unique()) == 1


@pytest.mark.parametrize("tile", [(1, 1), (2, 2), (2, 3), (4, 5), (10, 10)])
@pytest.mark.parametrize("rows", [3, 64])
def test_equals_the_literal_procedure(tile: tuple[int, int], rows: int) -> None:
    model, draws = network(SIZE), np.random.default_rng(1)
    inputs, heats = draws.normal(size=(3, 2, *SIZE)), draws.integers(-4, 9, (3, *SIZE)) / 8
    tensors = torch.from_numpy(inputs), torch.from_numpy(heats)
    found = degradation(model, *tensors, [2, 0, 1], tile, rows)
    for i, target in enumerate([2, 0, 1]):
        expected = literal.degradation(probability_of(model, target), inputs[i], heats[i], tile)
        assert found.morf[i].tolist() == pytest.approx(expected["MoRF"][0], abs=1e-6)
        assert found.lerf[i].tolist() == pytest.approx(expected["LeRF"][0], abs=1e-6)
        assert found.morf_auc[i].item() == pytest.approx(expected["MoRF"][1], abs=1e-6)
        assert found.lerf_auc[i].item() == pytest.approx(expected["LeRF"][1], abs=1e-6)


def test_the_right_map_beats_the_wrong_one() -> None:
    weights = torch.full((16, 16), -0.1)
    weights[4:8, 8:12] = 2
    x, right = torch.ones(3, 1, 16, 16), (weights > 0).double()
    heats = torch.stack([right, -right, torch.ones(16, 16)])
    found = degradation(linear(weights), x, heats, [1, 1, 1], 4)
    assert found.shares.tolist() == pytest.approx([k / 16 for k in range(17)])
    assert found.difference[0] > 0.8
    assert found.difference[1] == pytest.approx(-found.difference[0].item())
    assert found.difference[2] == 0


@given(arrays(np.int64, SIZE, elements=st.integers(-9, 9)), st.integers(1, 4))
def test_only_the_order_of_tiles_counts(levels: literal.Array, tile: int) -> None:
    heat = torch.from_numpy(levels)[None].double()
    before = heat.clone()
    model, x = network(SIZE), torch.ones(1, 2, *SIZE, dtype=torch.float64)
    found = degradation(model, x, heat, [1], tile)
    other = degradation(model, x, 4 * heat, [1], tile)
    assert torch.equal(found.morf, other.morf)
    assert torch.equal(found.lerf, other.lerf)
    assert -1 <= float(found.difference) <= 1
    assert torch.equal(heat, before)


def test_the_published_call(unchanged: Unchanged) -> None:
    model, draws = network(SIZE).train(), np.random.default_rng(0)
    x, heat = torch.from_numpy(draws.normal(size=(2, *SIZE))), draws.random(SIZE)
    kept, heat_before = x.clone(), heat.copy()
    with unchanged(model):
        found = Degradation(model, 2, (3, 4), store_imgs=True, batch=3).evaluate(heat, x)
        plain = Degradation(model, 2, 3).evaluate(torch.from_numpy(heat), x[None])
    expected = degradation(network(SIZE), x[None], torch.from_numpy(heat)[None], [2], (3, 4))
    assert set(found) == {
        *("MoRF_scores", "LeRF_scores", "MoRF_auc", "LeRF_auc"),
        *("MoRF_img", "LeRF_img", "MoRF_img_history", "LeRF_img_history"),
    }
    assert found["MoRF_scores"].tolist() == pytest.approx(expected.morf[0].tolist(), abs=1e-12)
    assert found["LeRF_auc"] == pytest.approx(expected.lerf_auc.item(), abs=1e-12)
    for name in ("MoRF", "LeRF"):
        history = found[f"{name}_img_history"]
        assert history.shape == (5, 2, *SIZE)
        assert torch.equal(history[0], x)
        assert torch.equal(history[-1], found[f"{name}_img"])
        with torch.no_grad():
            scores = network(SIZE)(history).softmax(1)[:, 2]
        assert found[f"{name}_scores"].tolist() == pytest.approx(scores.tolist(), abs=1e-9)
    assert plain["MoRF_img_history"] is plain["LeRF_img_history"] is None
    assert torch.equal(x, kept)
    assert np.array_equal(heat, heat_before)


@pytest.mark.parametrize(
    ("shape", "tile", "target", "message"),
    [
        ((1, 5, 8), 2, 1, "Resize"),
        ((1, *SIZE), 0, 1, "at least 1 pixel"),
        ((1, *SIZE), (2, 0), 1, "at least 1 pixel"),
        ((1, *SIZE), 2, 2, "classes 0 to 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    shape: tuple[int, ...], tile: int | tuple[int, int], target: int, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        degradation(
            linear(torch.rand(SIZE)), torch.rand(1, 1, *SIZE), torch.rand(shape), [target], tile
        )
