"""Boxes as masks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.evaluation import box_mask, region_share

corner = st.floats(-3, 12)


@given(st.tuples(corner, corner), st.tuples(corner, corner))
def test_a_pixel_belongs_to_a_box_when_its_centre_does(
    across: tuple[float, float], down: tuple[float, float]
) -> None:
    (x1, x2), (y1, y2) = sorted(across), sorted(down)
    expected = [
        [y1 <= row + 0.5 < y2 and x1 <= column + 0.5 < x2 for column in range(9)]
        for row in range(7)
    ]
    found = box_mask(torch.tensor([x1, y1, x2, y2], dtype=torch.float64), 7, 9)
    if any(map(any, expected)):
        assert found.tolist() == expected
    else:  # it is too thin or outside: the nearest row or column stands for it
        assert 0 < int(found.sum()) <= 9


def test_several_boxes_are_joined() -> None:
    boxes = torch.tensor([[0, 0, 2, 1], [1, 0, 3, 2]])
    mask = box_mask(boxes, 3, 4)
    assert mask.int().tolist() == [[1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert region_share(mask).item() == pytest.approx(5 / 12)
    assert region_share(torch.stack([mask, ~mask]) * 255).tolist() == pytest.approx(
        [5 / 12, 7 / 12]
    )
