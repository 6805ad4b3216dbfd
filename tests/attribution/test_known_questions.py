"""Questions of every kind find what they are about: one of two objects, and not the other."""

import pytest
import torch
from torch import Tensor

from input_iba import BoxTarget, ContrastTarget, InputIBA, RegressionTarget, SegmentTarget
from tests.attribution.objects import (
    EDGE,
    GREEN,
    PAIRS,
    RED,
    PairClassifier,
    around,
    detector,
    inside,
    regressor,
    segmenter,
    squares,
)

pytestmark = pytest.mark.slow

CASES = 100
ENOUGH = 0.95  # of the cases have at least
INSIDE = 0.8  # of the hottest pixels in the object


def share_found(maps: Tensor, corners: Tensor) -> float:
    return (inside(maps[:, 0], corners) >= INSIDE).double().mean().item()


@pytest.fixture(scope="module", name="segments")
def fixture_segments() -> InputIBA:
    return InputIBA(segmenter(), "trunk.1").fit(squares(500, [RED, GREEN], 20_000)[0], 500)


@pytest.mark.parametrize("asked", [0, 1], ids=["red", "green"])
def test_a_segment_is_explained_by_its_own_object(segments: InputIBA, asked: int) -> None:
    images, corners = squares(CASES, [RED, GREEN], 10_000)
    found = segments.attribute(images, SegmentTarget(1 + asked))
    assert found[0].asked == f"segment of class {1 + asked}"
    assert min(record.target_probability for record in found) > 0.9
    assert share_found(found.maps, corners[:, asked]) >= ENOUGH
    assert inside(found.maps[:, 0], corners[:, 1 - asked]).max() < 0.1


def test_one_of_two_boxes_of_a_class_is_explained_by_itself() -> None:
    images, corners = squares(CASES, [RED, RED], 10_000)
    iba = InputIBA(detector(), "trunk.1").fit(squares(500, [RED, RED], 20_000)[0], 500)
    for asked in (0, 1):
        boxes = torch.cat([corners.flip(-1), corners.flip(-1) + EDGE], -1)[:, asked]
        targets = [BoxTarget(tuple(box), 0) for box in boxes.tolist()]
        found = iba.attribute(images, targets)
        assert share_found(found.maps, corners[:, asked]) >= ENOUGH
        assert inside(found.maps[:, 0], corners[:, 1 - asked]).max() < 0.1


def test_a_value_is_explained_by_what_it_measures() -> None:
    strength = 1 + torch.rand(CASES, 1, generator=torch.Generator().manual_seed(5))
    images, corners = squares(CASES, [RED, GREEN], 10_000, torch.cat([strength, strength], 1))
    iba = InputIBA(regressor(), "trunk.1").fit(squares(500, [RED, GREEN], 20_000)[0], 500)
    found = iba.attribute(images, RegressionTarget(0.3))
    assert share_found(found.maps, corners[:, 0]) >= ENOUGH


def test_what_two_classes_share_drops_out_of_their_contrast() -> None:
    names = ["red and green", "red and blue", "green and blue"]
    usual = torch.cat([squares(400, pair, 20_000 + k)[0] for k, pair in enumerate(PAIRS)])
    iba = InputIBA(PairClassifier().eval(), "trunk.0", class_names=names).fit(usual, len(usual))
    images, corners = squares(CASES, PAIRS[0], 10_000)
    contrast = iba.attribute(images, ContrastTarget(names[0], names[1]))
    assert contrast[0].asked == "red and green rather than red and blue"
    assert share_found(contrast.maps, corners[:, 1]) >= ENOUGH
    plain = iba.attribute(images, names[0])
    assert share_of(plain.maps, corners[:, 0]) > 0.3
    assert share_of(contrast.maps, corners[:, 0]) < 0.05


def share_of(maps: Tensor, corners: Tensor) -> float:
    """Return which share of the maps lies in squares, on average."""
    shares = [
        around(heat, top, left).sum() / heat.sum()
        for heat, (top, left) in zip(maps[:, 0], corners.tolist(), strict=True)
    ]
    return torch.stack(shares).mean().item()
