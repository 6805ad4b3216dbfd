"""Insertion and deletion: known answers, the literal procedure, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation import VisionInsertionDeletion, insertion_deletion
from input_iba.evaluation.hiding import step_counts
from tests.conftest import Unchanged
from tests.evaluation import literal
from tests.evaluation.nets import network, probability_of

SIZE = (6, 8)


def share_of_ones(inputs: Tensor) -> Tensor:
    """Logits whose softmax for class 1 is the share of ones, for inputs of ones and zeros."""
    share = inputs.mean((1, 2, 3)).clamp(1e-9, 1 - 1e-9)
    return torch.stack([(1 - share).log(), share.log()], 1)


def patch_detector(inputs: Tensor) -> Tensor:
    """Logits that know class 1 by the brightness of the top left 2×2 patch alone."""
    evidence = 20 * inputs[:, 0, :2, :2].mean((1, 2)) - 10
    return torch.stack([-evidence, evidence], 1)


@given(st.integers(1, 300), st.integers(1, 400))
def test_steps_reach_every_pixel_once(pixels: int, batch: int) -> None:
    [counts] = step_counts(torch.tensor([pixels]), batch)
    taken = counts.diff()
    assert counts[0] == 0
    assert counts[-1] == pixels
    assert (taken[:-1] == batch).all()
    assert 0 < taken[-1] <= batch


@pytest.mark.parametrize("rows", [1, 5, 64])
def test_areas_of_a_linear_probability(rows: int) -> None:
    x = torch.ones(2, 1, *SIZE, dtype=torch.float64)
    found = insertion_deletion(
        share_of_ones, x, torch.rand(2, *SIZE), [1, 0], 5, internal_batch_size=rows
    )
    # The first falls from 1 to 0 on a straight line, the second rises; a blurred constant stays.
    torch.testing.assert_close(found.deletion[0], 1 - found.shares, rtol=0, atol=1e-8)
    assert found.deletion_auc.tolist() == pytest.approx([0.5, 0.5], abs=1e-6)
    assert found.insertion_auc.tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
    assert found.difference.tolist() == pytest.approx([0.5, -0.5], abs=1e-6)


def test_the_right_map_beats_the_wrong_one() -> None:
    x = torch.zeros(2, 1, 16, 16)
    x[:, :, :2, :2] = 1
    right = x[0, 0]
    found = insertion_deletion(patch_detector, x, torch.stack([right, -right]), [1, 1], 4)
    assert found.insertion_auc[0] > 0.95
    assert found.insertion_auc[1] < 0.05
    assert found.deletion_auc[0] < 0.05
    assert found.deletion_auc[1] > 0.95


@pytest.mark.parametrize("pixels_a_step", [1, 7, 48, 100])
@pytest.mark.parametrize("sigma", [1.0, 2.5])
def test_equals_the_literal_procedure(pixels_a_step: int, sigma: float) -> None:
    model, draws = network(SIZE), np.random.default_rng(1)
    inputs, heats = draws.normal(size=(3, 2, *SIZE)), draws.integers(0, 9, (3, *SIZE)) / 8
    tensors = (torch.from_numpy(inputs), torch.from_numpy(heats))
    found = insertion_deletion(
        model, *tensors, [2, 0, 1], pixels_a_step, sigma, internal_batch_size=4
    )
    for i, target in enumerate([2, 0, 1]):
        expected = literal.insertion_deletion(
            probability_of(model, target), inputs[i], heats[i], pixels_a_step, sigma
        )
        assert found.insertion[i].tolist() == pytest.approx(expected["ins"][0], abs=1e-6)
        assert found.deletion[i].tolist() == pytest.approx(expected["del"][0], abs=1e-6)
        assert found.insertion_auc[i].item() == pytest.approx(expected["ins"][1], abs=1e-6)
        assert found.deletion_auc[i].item() == pytest.approx(expected["del"][1], abs=1e-6)


def test_the_published_width_of_the_blur_is_available() -> None:
    model, sigma, draws = network(SIZE), 2.0, np.random.default_rng(1)
    x, heat = torch.from_numpy(draws.normal(size=(2, *SIZE))), draws.random(SIZE)
    metric = VisionInsertionDeletion(model.eval(), 7, sigma, blur_radius=int(sigma) - 1)
    found = metric.evaluate(heat, x, 1)
    expected = literal.insertion_deletion(probability_of(model, 1), x.numpy(), heat, 7, sigma, 1)
    assert found["ins_scores"].tolist() == pytest.approx(expected["ins"][0], abs=1e-6)
    assert found["ins_auc"] == pytest.approx(expected["ins"][1], abs=1e-6)
    usual = VisionInsertionDeletion(model, 7, sigma).evaluate(heat, x, 1)
    assert abs(found["ins_scores"][0] - usual["ins_scores"][0]) > 1e-4
    assert found["del_auc"] == usual["del_auc"]


@given(arrays(np.int64, SIZE, elements=st.integers(-9, 9)), st.integers(1, 50))
def test_only_the_order_of_heat_counts(levels: literal.Array, pixels_a_step: int) -> None:
    model, x = network(SIZE), torch.randn(1, 2, *SIZE, generator=torch.Generator().manual_seed(2))
    heat = torch.from_numpy(levels)[None].double()
    before = heat.clone()
    found, other = (
        insertion_deletion(model, x.double(), values, [1], pixels_a_step)
        for values in (heat, torch.exp(heat / 3) - 5)
    )
    torch.testing.assert_close(found.insertion, other.insertion, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.deletion, other.deletion, rtol=0, atol=1e-12)
    for area in (found.insertion_auc, found.deletion_auc):
        assert 0 <= float(area) <= 1
    assert torch.equal(heat, before)


def test_no_pass_is_larger_than_allowed_and_none_too_many() -> None:
    sizes = []

    def counted(inputs: Tensor) -> Tensor:
        sizes.append(len(inputs))
        return patch_detector(inputs)

    insertion_deletion(
        counted, torch.rand(3, 1, *SIZE), torch.rand(3, *SIZE), [1, 1, 0], 7, internal_batch_size=5
    )
    steps = 7 + 1  # 48 pixels, 7 a step, and the input before the first
    assert sizes == [5, 5, 5, 5, 4] * 2
    assert sum(sizes) == 2 * 3 * steps


def test_the_published_call(unchanged: Unchanged) -> None:
    model = network(SIZE).train()
    x, heat = torch.randn(2, *SIZE, dtype=torch.float64), np.random.default_rng(0).random(SIZE)
    kept, heat_before = x.clone(), heat.copy()
    with unchanged(model):
        found = VisionInsertionDeletion(model, pixel_batch_size=5, sigma=1.0).evaluate(heat, x, 2)
        again = VisionInsertionDeletion(model, 5, 1.0).evaluate(torch.from_numpy(heat), x[None], 2)
    batch = (x[None], torch.from_numpy(heat)[None])
    expected = insertion_deletion(network(SIZE), *batch, [2], 5, 1.0)
    assert set(found) == {
        *("del_scores", "ins_scores", "del_input", "ins_input", "ins_auc", "del_auc")
    }
    assert found["ins_scores"].tolist() == expected.insertion[0].tolist()
    assert found["del_scores"].tolist() == expected.deletion[0].tolist()
    assert (found["ins_auc"], found["del_auc"]) == (
        expected.insertion_auc.item(),
        expected.deletion_auc.item(),
    )
    assert torch.equal(found["ins_input"], x)
    assert torch.equal(found["del_input"], torch.zeros_like(x))
    assert again["ins_auc"] == found["ins_auc"]
    assert torch.equal(x, kept)
    assert np.array_equal(heat, heat_before)


@pytest.mark.parametrize(
    ("heat", "target", "pixels", "rows", "message"),
    [
        (torch.rand(1, 5, 8), 1, 5, 4, "Resize"),
        (torch.full((1, *SIZE), torch.nan), 1, 5, 4, "NaN"),
        (torch.rand(1, *SIZE), 2, 5, 4, "classes 0 to 1"),
        (torch.rand(1, *SIZE), -1, 5, 4, "classes 0 to 1"),
        (torch.rand(1, *SIZE), 1, 0, 4, "pixel_batch_size"),
        (torch.rand(1, *SIZE), 1, 5, 0, "internal_batch_size"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    heat: Tensor, target: int, pixels: int, rows: int, message: str
) -> None:
    x = torch.rand(1, 1, *SIZE)
    with pytest.raises(EvaluationError, match=message):
        insertion_deletion(patch_detector, x, heat, [target], pixels, internal_batch_size=rows)


def test_shapes_of_inputs_and_logits_are_checked() -> None:
    heat = torch.rand(1, *SIZE)
    two, heats = torch.rand(2, 1, *SIZE), torch.rand(2, *SIZE)
    with pytest.raises(EvaluationError, match="reach from -1 to 0"):
        insertion_deletion(patch_detector, two, heats, [0, -1])
    with pytest.raises(EvaluationError, match="one target each"):
        insertion_deletion(patch_detector, torch.rand(1, *SIZE), heat, [1])
    with pytest.raises(EvaluationError, match="logits"):
        insertion_deletion(lambda inputs: inputs, torch.rand(1, 1, *SIZE), heat, [1])
