"""Boxes as masks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import EffectiveHeatRatios, box_mask, region_share
from input_iba.evaluation.base import ScoredSample
from input_iba.evaluation.regions import region_of
from input_iba.records import ImageSample

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
    assume(not all(0 <= value <= 1 for value in (x1, y1, x2, y2)))
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


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.integers(2, 300), st.integers(1, 300))
def test_shares_of_the_picture_are_not_taken_for_pixels(
    numbers: list[float], height: int, width: int
) -> None:
    (x1, x2), (y1, y2) = sorted(numbers[:2]), sorted(numbers[2:])
    box = torch.tensor([x1, y1, x2, y2], dtype=torch.float64)
    if all(number in (0, 1) for number in numbers):
        assert box_mask(box, height, width).sum() == 1  # whole numbers: one pixel
        return
    with pytest.raises(EvaluationError, match=r"in shares of it.* Multiply x by the image's width"):
        box_mask(box, height, width)
    with pytest.raises(EvaluationError, match="in shares"):  # also beside one in pixels
        box_mask(torch.stack([box.new_tensor([0, 0, 5, 5]), box]), height, width)


def test_published_calls_refuse_shares_too() -> None:
    with pytest.raises(EvaluationError, match=r"got \[0.25, 0.25, 0.5, 0.5\]"):
        EffectiveHeatRatios().evaluate([[0.5] * 20] * 20, (0.25, 0.25, 0.5, 0.5))


def test_a_picture_of_one_pixel_has_parts_of_a_pixel() -> None:
    assert box_mask(torch.tensor([0.1, 0.1, 0.9, 0.9]), 1, 1).tolist() == [[True]]


def test_known_pixels_come_before_boxes() -> None:
    image, heat = torch.zeros(3, 8, 8), torch.zeros(8, 8, dtype=torch.float64)
    known = torch.zeros(8, 8, dtype=torch.bool)
    known[2, 3:5] = True
    boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    for region, expected in ((known, known), (None, box_mask(boxes, 8, 8))):
        sample = ImageSample("a", image, image=image, boxes=boxes, region=region)
        found = region_of(ScoredSample(sample, 0, 1.0, heat))
        assert isinstance(found, torch.Tensor)
        assert torch.equal(found, expected)
    for empty, said in ((~known, "region above 33% of the picture"), (known & ~known, "empty")):
        sample = ImageSample("a", image, image=image, boxes=boxes, region=empty)
        assert str(region_of(ScoredSample(sample, 0, 1.0, heat))).startswith(said)
