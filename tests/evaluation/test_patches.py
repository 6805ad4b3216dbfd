"""Insertion and deletion of patches: the literal procedure, and what they share with pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import METRICS, degradation, insertion_deletion, text_insertion_deletion
from tests.evaluation import literal
from tests.evaluation.nets import linear, network, probability_of

SIZE = (7, 8)


@pytest.mark.parametrize(("patch", "pixels", "together"), [(2, 4, 1), (2, 13, 3), (3, 8, 1)])
def test_equals_the_literal_procedure(patch: int, pixels: int, together: int) -> None:
    model, draws = network(SIZE), np.random.default_rng(2)
    x, heat = draws.normal(size=(2, *SIZE)), draws.random(SIZE)
    found = insertion_deletion(
        model,
        torch.from_numpy(x)[None],
        torch.from_numpy(heat)[None],
        [1],
        pixels,
        patch_size=patch,
    )
    expected = literal.patch_insertion_deletion(
        probability_of(model, 1), x, heat, patch, together, 5.0
    )
    for key, curve, area in (
        ("ins", found.insertion, found.insertion_auc),
        ("del", found.deletion, found.deletion_auc),
    ):
        assert curve[0].tolist() == pytest.approx(expected[key][0], abs=1e-6)
        assert area.item() == pytest.approx(expected[key][1], abs=1e-6)


@given(st.integers(0, 99), st.integers(2, 9))
def test_deletion_patch_by_patch_is_degradation(seed: int, patch: int) -> None:
    draws = np.random.default_rng(seed)
    x, heat = (
        torch.from_numpy(draws.normal(size=(1, 2, *SIZE))),
        torch.from_numpy(draws.random(SIZE)),
    )
    model = network(SIZE)
    found = insertion_deletion(model, x, heat[None], [2], 1, patch_size=patch)
    tiles = degradation(model, x, heat[None], [2], patch)
    assert torch.equal(found.deletion, tiles.morf)
    assert found.shares.tolist() == pytest.approx(tiles.shares.tolist())


def test_patches_of_a_pixel_are_pixels() -> None:
    model, x, heat = network(SIZE), torch.ones(1, 2, *SIZE).double(), torch.rand(1, *SIZE)
    found = insertion_deletion(model, x, heat, [0], 5, patch_size=1)
    assert torch.equal(found.insertion, insertion_deletion(model, x, heat, [0], 5).insertion)


def test_what_has_no_patches_is_refused() -> None:
    heat = torch.rand(1, *SIZE)
    with pytest.raises(EvaluationError, match="at least 1 pixel"):
        insertion_deletion(linear(torch.rand(SIZE)), heat[None], heat, [1], patch_size=0)
    tokens, scored = torch.ones(1, 4, dtype=torch.int64), torch.ones(1, 4, dtype=torch.bool)
    with pytest.raises(EvaluationError, match="Only images have patches"):
        text_insertion_deletion(
            lambda t, k: k.double()[:, :2], tokens, torch.rand(1, 4), [1], scored, patch_size=2
        )


def test_pixels_and_patches_stand_side_by_side() -> None:
    pixels, patches = METRICS["insertion_deletion"](), METRICS["patch_insertion_deletion"]()
    assert "patch_size" not in pixels.settings()
    assert patches.settings() == {**pixels.settings(), "patch_size": 4}
