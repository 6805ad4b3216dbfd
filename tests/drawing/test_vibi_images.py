"""Pictures of VIBI: frames say whether two predictions agree, and how closely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from input_iba.drawing.image_sheet import FRAME, GAP, HEADING, SIDE
from input_iba.drawing.vibi_images import (
    AGREES,
    DIFFERS,
    HIDDEN,
    PANELS,
    agreement,
    write_distribution,
    write_explanation,
    write_test_batch,
    write_top_k,
    write_training_curves,
)
from input_iba.errors import DataError

SURE = [[1.0, 0.0]]
OTHER = [[0.0, 1.0]]
PICTURES = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))

CORNER = (HEADING + GAP, GAP)
"""Of the first frame."""


def pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def first_tile(path: Path) -> NDArray[np.uint8]:
    top, left = (place + FRAME for place in CORNER)
    return pixels(path)[top : top + SIDE, left : left + SIDE]


def test_half_and_half_against_one_is_as_calculated_by_hand() -> None:
    # The mixture of (1, 0) and (½, ½) is (¾, ¼): ½ log2(4/3) + ¼ log2(2/3) + ¼ log2 2 bits.
    divergence = 0.5 * np.log2(4 / 3) + 0.25 * np.log2(2 / 3) + 0.25
    found = agreement(SURE, [[0.5, 0.5]])
    assert found.strength == pytest.approx([1 - np.sqrt(divergence)])


@given(arrays(np.float64, (2, 4), elements=st.floats(0.01, 1)))
def test_strength_is_a_share_the_same_both_ways_and_1_only_of_equals(
    values: NDArray[np.float64],
) -> None:
    p, q = (values / values.sum(1, keepdims=True))[:, None]
    there, back, same = agreement(p, q), agreement(q, p), agreement(p, p)
    assert 0 <= there.strength[0] <= 1
    assert there.strength == pytest.approx(back.strength, abs=1e-6)
    assert same.strength == pytest.approx([1.0], abs=1e-6)


def test_predictions_of_other_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"\(1, 2\) and \(1, 3\)"):
        agreement(SURE, [[0.2, 0.3, 0.5]])


@pytest.mark.parametrize(("other", "colour"), [(SURE, AGREES), (OTHER, [255, 255, 255])])
def test_a_frame_is_full_where_equal_and_pale_where_opposite(
    tmp_path: Path, other: list[list[float]], colour: list[int]
) -> None:
    write_top_k(tmp_path / "a.png", PICTURES[:1], torch.ones(1, 28, 28), SURE, other)
    assert pixels(tmp_path / "a.png")[CORNER].tolist() == list(colour)


def test_a_frame_is_red_where_the_class_is_another(tmp_path: Path) -> None:
    almost = [[0.51, 0.49]], [[0.49, 0.51]]
    write_top_k(tmp_path / "a.png", PICTURES[:1], torch.ones(1, 28, 28), *almost)
    colour = pixels(tmp_path / "a.png")[CORNER].astype(float)
    assert np.abs(colour - DIFFERS).max() < 10


def test_shown_pixels_are_the_picture_and_hidden_ones_are_veiled(tmp_path: Path) -> None:
    mask = torch.zeros(1, 28, 28)
    mask[:, :, :14] = 1
    write_top_k(tmp_path / "a.png", PICTURES[:1], mask, SURE, SURE)
    tile = first_tile(tmp_path / "a.png")[::4, ::4].astype(float)
    whole = np.round(255 * PICTURES[0, 0].numpy())[..., None]
    assert np.abs(tile[:, :14] - whole[:, :14]).max() <= 1
    veiled = 0.3 * whole + 0.7 * HIDDEN
    assert np.abs(tile[:, 14:] - veiled[:, 14:]).max() <= 1


def test_colours_can_be_hidden_one_by_one(tmp_path: Path) -> None:
    masks = torch.zeros(1, 3, 28, 28)
    masks[:, 0] = 1
    write_top_k(tmp_path / "a.png", torch.ones(1, 3, 28, 28), masks, SURE, SURE)
    veiled = 0.3 * 255 + 0.7 * HIDDEN
    assert first_tile(tmp_path / "a.png")[0, 0] == pytest.approx([255, *veiled[1:]], abs=1)


def test_one_explanation_is_three_pictures_the_last_with_a_frame(tmp_path: Path) -> None:
    mask = torch.zeros(28, 28)
    mask[:4, :4] = 1
    write_explanation(tmp_path / "a.png", PICTURES[0], mask / 9, mask, SURE[0], SURE[0])
    sheet = pixels(tmp_path / "a.png")
    top, left = (place + FRAME for place in CORNER)
    whole = np.round(255 * PICTURES[0, 0].numpy())
    found = sheet[top : top + SIDE : 4, left : left + SIDE : 4, 0].astype(float)
    assert np.abs(found - whole).max() <= 1
    framed = np.argwhere((sheet == AGREES).all(2))
    assert len(framed) == (SIDE + 2 * FRAME) ** 2 - SIDE**2
    assert framed[:, 1].min() > sheet.shape[1] / 2


def test_a_batch_is_drawn_as_it_is_in_reading_order(tmp_path: Path) -> None:
    colours = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 8, 8)
    write_test_batch(tmp_path / "a.png", colours, ["red", "green", "blue"])
    sheet = pixels(tmp_path / "a.png")
    places = [(np.argwhere((sheet == 255 * np.eye(3)[i]).all(2))).min(0) for i in range(3)]
    assert places[0][0] == places[1][0] < places[2][0]
    assert places[0][1] == places[2][1] < places[1][1]


def test_the_distribution_is_bright_where_the_probability_is(tmp_path: Path) -> None:
    probabilities = torch.full((1, 28, 28), 0.001)
    probabilities[:, 4:8, 8:12] = 0.02
    write_distribution(tmp_path / "a.png", torch.zeros(1, 1, 28, 28), probabilities)
    tile = first_tile(tmp_path / "a.png")[::4, ::4].sum(2)
    assert tile[4:8, 8:12].min() > 10 * tile[:4].max()


def test_long_captions_do_not_reach_into_the_next_picture(tmp_path: Path) -> None:
    names = ["a very long name of a class, longer than its picture", "cat"]
    write_top_k(tmp_path / "a.png", PICTURES[:1], torch.ones(1, 28, 28), SURE, SURE, names)
    sheet = pixels(tmp_path / "a.png")
    assert (sheet[:, -GAP:] == 255).all()


@pytest.mark.parametrize(
    ("pictures", "maps", "message"),
    [
        (PICTURES[0], torch.ones(1, 28, 28), r"got shape \(1, 28, 28\)"),
        (PICTURES.expand(5, 2, 28, 28), torch.ones(5, 28, 28), "one or three channels"),
        (PICTURES[:0], torch.ones(0, 28, 28), "none empty"),
        (PICTURES, torch.ones(5, 7, 7), "Give every pixel the value of its chunk"),
    ],
)
def test_wrong_shapes_are_refused(
    tmp_path: Path, pictures: torch.Tensor, maps: torch.Tensor, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        write_distribution(tmp_path / "a.png", pictures, maps)


def test_captions_are_one_per_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="5 images need as many captions; got 2"):
        write_test_batch(tmp_path / "a.png", PICTURES, ["one", "two"])


def test_curves_show_what_the_rows_have(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"epoch": 1, "loss": 2.0}, {"note": "x"}]
    rows.append({"epoch": 2, "loss": 1.0, "temperature": 0.5})
    write_training_curves(tmp_path / "two.png", rows)
    write_training_curves(tmp_path / "one.png", rows, panels={"Loss": PANELS["Loss"]})
    assert pixels(tmp_path / "two.png").shape[1] == 2 * pixels(tmp_path / "one.png").shape[1]
    with pytest.raises(DataError, match="no row has 'epoch' and any of loss"):
        write_training_curves(tmp_path / "none.png", [{"epoch": 1}])
