"""Sensitivity-N: known answers, the literal procedure, and what the sets are like."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation import VisionSensitivityN, random_sets, sensitivity_n, set_sizes
from tests.conftest import Unchanged
from tests.evaluation import literal
from tests.evaluation.nets import linear, logit_of, network

SIZE = (5, 6)


def test_the_published_sizes() -> None:
    sizes = set_sizes(224 * 224)
    assert sizes[:6] == [1, 2, 3, 4, 5, 6]
    assert sizes[-1] == round(10**4.5)
    assert set(sizes) == {round(10 ** (k / 10)) for k in range(46)}
    assert set_sizes(32 * 32)[-1] == 1000


@given(st.integers(2, 5000), st.floats(0, 4.5), st.floats(0.05, 2))
def test_sizes_ascend_and_stay_below_the_picture(pixels: int, most: float, ticks: float) -> None:
    sizes = set_sizes(pixels, most, ticks)
    assert sizes[0] == 1
    assert sizes == sorted(set(sizes))
    assert sizes[-1] < pixels
    assert sizes[-1] <= round(10**most)


@given(st.integers(1, 29), st.integers(2, 5), st.integers(0, 9))
def test_sets_have_n_pixels_and_depend_on_the_seed_alone(n: int, masks: int, seed: int) -> None:
    sets = random_sets(SIZE, n, masks, seed)
    assert sets.shape == (masks, *SIZE)
    assert (sets.sum((1, 2)) == n).all()
    torch.manual_seed(n)
    state = torch.get_rng_state()
    assert torch.equal(sets, random_sets(SIZE, n, masks, seed))
    assert torch.equal(state, torch.get_rng_state())


def test_every_pixel_is_drawn_equally_often() -> None:
    shares = random_sets(SIZE, 6, 4000).double().mean(0)
    assert (shares - 0.2).abs().max() < 0.04
    assert not torch.equal(random_sets(SIZE, 6, 5, seed=0), random_sets(SIZE, 6, 5, seed=1))


@pytest.mark.parametrize("n", [1, 7, 29])
@pytest.mark.parametrize("rows", [1, 13, 64])
def test_equals_the_literal_procedure(n: int, rows: int) -> None:
    model, draws = network(SIZE), np.random.default_rng(n)
    inputs, heats = draws.normal(size=(3, 2, *SIZE)), draws.normal(size=(3, *SIZE))
    tensors = torch.from_numpy(inputs), torch.from_numpy(heats)
    shared = random_sets(SIZE, n, 10)
    own = torch.stack([random_sets(SIZE, n, 10, seed) for seed in range(3)])
    for sets in (shared, own):
        found = sensitivity_n(model, *tensors, [2, 0, 1], sets, rows)
        for i, target in enumerate([2, 0, 1]):
            of_sample = sets.expand(3, 10, *SIZE)[i].numpy()
            expected = literal.sensitivity_n(
                logit_of(model, target), inputs[i], heats[i], of_sample
            )
            assert found.correlation[i].item() == pytest.approx(expected[0], abs=1e-6)
            assert found.sums[i].tolist() == pytest.approx(expected[1], abs=1e-6)
            assert found.drops[i].tolist() == pytest.approx(expected[2], abs=1e-6)


def test_the_true_attribution_of_a_linear_classifier_correlates_fully() -> None:
    weights = torch.randn(SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = torch.rand(3, 1, *SIZE, dtype=torch.float64) + 0.5
    truth = (inputs[:, 0] * weights)[0]
    heats = torch.stack([truth, -truth, 3 * truth + 7])
    x = inputs[:1].expand(3, -1, -1, -1)
    found = sensitivity_n(linear(weights), x, heats, [1, 1, 1], random_sets(SIZE, 4, 50))
    # Sets have one size, so that a constant added to the map adds the same to every sum.
    assert found.correlation.tolist() == pytest.approx([1, -1, 1], abs=1e-9)
    assert found.drops[0].tolist() == pytest.approx(found.sums[0].tolist(), abs=1e-9)
    other = sensitivity_n(linear(weights), x, heats, [0, 0, 0], random_sets(SIZE, 4, 50))
    assert other.correlation.tolist() == pytest.approx([-1, 1, -1], abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3])
def test_what_does_not_vary_correlates_with_nothing(value: float) -> None:
    sets, flat = random_sets(SIZE, 4, 20), torch.full((1, *SIZE), value)
    x = torch.rand(1, 1, *SIZE)
    found = sensitivity_n(linear(torch.rand(SIZE)), x, flat, [1], sets)
    assert found.correlation.tolist() == [0]
    found = sensitivity_n(linear(torch.zeros(SIZE)), x, torch.rand(1, *SIZE), [1], sets)
    assert found.correlation.tolist() == [0]


def test_no_pass_is_larger_than_allowed_and_none_too_many() -> None:
    passes = []
    model = linear(torch.rand(SIZE))

    def counted(inputs: Tensor) -> Tensor:
        passes.append(len(inputs))
        return model(inputs)

    sets = random_sets(SIZE, 3, 10)
    sensitivity_n(
        counted, torch.rand(2, 1, *SIZE), torch.rand(2, *SIZE), [1, 0], sets, internal_batch_size=8
    )
    assert passes == [2, 8, 8, 4]


def test_the_published_call(unchanged: Unchanged) -> None:
    model = network(SIZE).train()
    draws = np.random.default_rng(0)
    x, heat = torch.from_numpy(draws.normal(size=(2, *SIZE))), draws.random(SIZE)
    kept, heat_before = x.clone(), heat.copy()
    metric = VisionSensitivityN(model, SIZE, 4, num_masks=12)
    with unchanged(model):
        found = metric.evaluate(heat, x, 2, calculate_corr=True)
        without = metric.evaluate(torch.from_numpy(heat), x[None], 2)
    batch = (x[None], torch.from_numpy(heat)[None])
    expected = sensitivity_n(network(SIZE), *batch, [2], random_sets(SIZE, 4, 12))
    assert set(found) == {"correlation", "score_diffs", "sum_attributions"}
    assert found["correlation"] == expected.correlation.item()
    assert found["score_diffs"].tolist() == expected.drops[0].tolist()
    assert found["sum_attributions"].tolist() == expected.sums[0].tolist()
    assert without["correlation"] is None
    assert without["score_diffs"].tolist() == found["score_diffs"].tolist()
    assert torch.equal(x, kept)
    assert np.array_equal(heat, heat_before)


@pytest.mark.parametrize("n", [0, 30, -1])
def test_impossible_sets_are_refused(n: int) -> None:
    with pytest.raises(EvaluationError, match="1 ≤ n < 30"):
        random_sets(SIZE, n)
    with pytest.raises(EvaluationError, match="num_masks"):
        random_sets(SIZE, 3, 1)
    with pytest.raises(EvaluationError, match="log_n_ticks"):
        set_sizes(30, log_n_ticks=n if n < 1 else 0)


@pytest.mark.parametrize(
    ("heat", "sets", "target", "message"),
    [
        (torch.rand(1, 4, 4), torch.ones(3, *SIZE), 1, "Resize"),
        (torch.full((1, *SIZE), torch.nan), torch.ones(3, *SIZE), 1, "NaN"),
        (torch.rand(1, *SIZE), torch.ones(3, 4, 4), 1, "sets of pixels"),
        (torch.rand(1, *SIZE), torch.ones(2, 3, *SIZE), 1, "sets of pixels"),
        (torch.rand(1, *SIZE), torch.ones(*SIZE), 1, "sets of pixels"),
        (torch.rand(1, *SIZE), torch.ones(3, *SIZE), 2, "classes 0 to 1"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    heat: Tensor, sets: Tensor, target: int, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        sensitivity_n(linear(torch.rand(SIZE)), torch.rand(1, 1, *SIZE), heat, [target], sets)
