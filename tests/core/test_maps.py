"""Maps that are refused, and what becomes of evidence."""

from __future__ import annotations

import pytest
import torch

from input_iba.core.maps import check_maps, saturated
from input_iba.errors import EvaluationError


def test_maps_that_are_not_finite_are_named() -> None:
    heats = torch.zeros(3, 2, 2)
    check_maps(heats, (3, 2, 2))
    heats[1, 0, 1] = torch.nan
    with pytest.raises(EvaluationError, match=r"maps at \[1\] hold NaN"):
        check_maps(heats, (3, 2, 2))
    heats[2, 1, 1] = torch.inf
    with pytest.raises(EvaluationError, match=r"maps at \[1, 2\] hold NaN"):
        check_maps(heats, (3, 2, 2))


def test_usual_evidence_grows_half_as_fast() -> None:
    # Σs² / Σs = (1 + 9) / 4 = 2.5, of every row alone; the unit of evidence does not count.
    evidence = torch.tensor([[1.0, 3.0], [10.0, 30.0], [0.0, 2.0]])
    expected = torch.tensor([[1 / 3.5, 3 / 5.5], [1 / 3.5, 3 / 5.5], [0.0, 0.5]])
    torch.testing.assert_close(saturated(evidence, 1.0), expected)
    torch.testing.assert_close(saturated(evidence, 2.0)[2], torch.tensor([0.0, 1 / 3]))
