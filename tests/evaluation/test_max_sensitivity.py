"""Maximum sensitivity: known answers, the literal procedure, and what it depends on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation import relative_changes
from tests.reference import metrics

SIZE = (2, 4, 5)


def curved(x: Tensor) -> Tensor:
    return (x**2).sum(0).sin()


@given(st.integers(0, 99), st.floats(1e-3, 2), st.integers(1, 5))
def test_equals_the_literal_procedure(seed: int, radius: float, count: int) -> None:
    x = torch.randn(SIZE, generator=torch.Generator().manual_seed(seed)).double()
    seen: list[Tensor] = []

    def explain(inputs: Tensor) -> Tensor:
        seen.append(inputs)
        return curved(inputs)

    found = relative_changes(explain, x, radius, count, seed)
    assert torch.equal(seen[0], x)
    assert all(float((other - x).abs().max()) <= radius + 1e-12 for other in seen[1:])
    expected = metrics.max_sensitivity(
        lambda image: curved(torch.from_numpy(image)).numpy(),
        x.numpy(),
        [other.numpy() for other in seen[1:]],
    )
    assert len(found) == count
    assert found.max().item() == pytest.approx(expected, abs=1e-9)


def test_known_answers() -> None:
    x = torch.full(SIZE, 10.0).double()
    assert relative_changes(lambda inputs: torch.ones(4, 5), x).tolist() == [0] * 10
    found = relative_changes(lambda inputs: inputs[0], x, 0.5, 200)
    # ‖δ‖ / ‖x‖ of uniform values: 0.5 / √3 beside 10 each.
    assert found.mean().item() == pytest.approx(0.5 / 3**0.5 / 10, rel=0.02)
    scaled = relative_changes(lambda inputs: 7 * inputs[0], x, 0.5, 200)
    assert scaled.tolist() == pytest.approx(found.tolist())


def test_seeds_decide_the_draws() -> None:
    x = torch.ones(SIZE)
    first, again, other = (relative_changes(curved, x, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_cannot_be_scored_is_refused() -> None:
    x = torch.ones(SIZE)
    for radius, count in ((0, 1), (-1, 1), (1, 0)):
        with pytest.raises(EvaluationError, match="radius > 0"):
            relative_changes(curved, x, radius, count)
    with pytest.raises(EvaluationError, match="0 everywhere"):
        relative_changes(lambda inputs: 0 * inputs[0], x)
