"""Further inputs of a network: one row per sample, or the same for all."""

from __future__ import annotations

import pytest
import torch

from input_iba.core.arguments import Arguments
from input_iba.errors import AttributionError


def test_rows_are_repeated_and_all_else_stays() -> None:
    flags, scale = torch.tensor([1, 2]), torch.tensor(3.0)
    found = Arguments((flags, scale, "mode")).repeat(2).values
    assert found[0].tolist() == [1, 1, 2, 2]
    assert found[1:] == (scale, "mode")


def test_a_tensor_without_a_row_per_sample_is_refused() -> None:
    Arguments((torch.zeros(2, 5), torch.tensor(3.0), [1, 2, 3])).check(2)
    with pytest.raises(AttributionError, match=r"\[1\] has shape \(3, 5\) for 2 inputs"):
        Arguments((None, torch.zeros(3, 5))).check(2)
