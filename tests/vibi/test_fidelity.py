"""Where the two fidelities lie apart, it is said what that means; in one place."""

from __future__ import annotations

import pytest
import torch

from input_iba.vibi import Fidelity, measure_fidelity
from tests.vibi.nets import planted, small_vibi


@pytest.mark.parametrize(
    ("approximator", "rationale", "code"),
    [
        *((0.966, 0.352, True), (0.95, 0.85, True), (0.95, 0.851, False)),
        *((0.9, 0.8, True), (0.968, 0.935, False), (0.6, 0.9, False)),
    ],
)
def test_ten_points_apart_is_a_code(approximator: float, rationale: float, code: bool) -> None:
    found = Fidelity(approximator, rationale, 0.1, 100)
    assert bool(found.warning) == bool(found.note) == code
    if code:
        assert f"{100 * (approximator - rationale):.1f} points below" in found.warning
        assert "must not be read as what the black box looked at" in found.warning
        assert "agree on a code" in found.warning and "agree on a code" in found.note
        assert "--loss rationale" in found.warning


def test_fidelity_is_that_of_the_k_likeliest_chunks() -> None:
    vibi = small_vibi(k=4)  # of four: nothing is hidden
    black_box, data = planted(40)
    found = measure_fidelity(vibi, black_box, data.batches(16))
    assert found.rationale == 1.0
    assert found.samples == 40


def test_large_images_are_measured_a_few_at_a_time() -> None:
    from dataclasses import replace

    _, data = planted(4)
    assert data.measured == 500
    large = replace(data, inputs=torch.zeros(4, 3, 224, 224, dtype=torch.uint8))
    assert 10 < large.measured < 50
    assert replace(data, inputs=torch.zeros(4, 2000, dtype=torch.int64)).measured == 500
