"""Values of word pieces become values of words."""

import pytest
import torch

from input_iba.records import merge_pieces


@pytest.mark.parametrize(("merge", "expected"), [("mean", [1.0, 3.0]), ("max", [1.0, 5.0])])
def test_pieces_are_merged_and_special_tokens_left_out(merge: str, expected: list[float]) -> None:
    values = torch.tensor([9.0, 1.0, 5.0, 1.0, 9.0])
    assert merge_pieces(values, [-1, 0, 1, 1, -1], merge).tolist() == expected


def test_words_stay_as_they_are() -> None:
    values = torch.rand(3)
    assert merge_pieces(values, None) is values
