"""Volumes as slices: the hottest, in order, with colours that mean the same in all."""

from __future__ import annotations

import re

import numpy as np
import torch
from matplotlib.figure import Figure

from input_iba.drawing.card import draw_card
from input_iba.drawing.volumes import MAX_SLICES, hottest, slices
from input_iba.records import Explanation


def volume(depth: int = 6, hot: int = 4) -> Explanation:
    mask = torch.rand(depth, 8, 8, generator=torch.Generator().manual_seed(0)) * 0.01
    mask[hot, 2:5, 2:5] = 1
    return Explanation(
        id="v",
        target=1,
        prediction=1,
        target_probability=0.5,
        prediction_probability=0.5,
        map=mask,
        input_mask=mask,
        picture=torch.full((3, depth, 8, 8), 100, dtype=torch.uint8),
    )


def test_the_hottest_slices_are_shown_in_their_order() -> None:
    mask = np.zeros((40, 2, 2))
    mask[30] = 2
    mask[5] = 3
    mask[7] = -1
    chosen = slices(None, mask, 1.0, count=3)
    assert list(chosen) == ["slice 6 of 40", "slice 8 of 40", "slice 31 of 40"]
    assert len(slices(None, mask, 1.0)) == MAX_SLICES
    assert hottest(mask, 3) == 0


def test_colours_mean_the_same_in_all_slices() -> None:
    mask = np.stack([np.full((4, 4), 0.1), np.full((4, 4), 1.0), np.zeros((4, 4))])
    first, second, third = slices(None, mask, 1.0).values()
    assert first.mean() < second.mean() / 2
    assert third.mean() < first.mean()


def test_a_card_has_a_slider_that_stands_at_the_hottest_slice() -> None:
    html = volume()._repr_html_()
    assert len(re.findall(r'<input type="range" min="0" max="5" value="4"', html)) == 1
    shown = re.findall(r'<div( hidden)?><img src="data:image/png[^>]*alt="(slice \d) of 6"', html)
    assert [name for hidden, name in shown if not hidden] == ["slice 5"]
    assert len(shown) == 6
    assert "<script" not in html


def test_a_file_shows_the_hottest_slices_side_by_side() -> None:
    names = list(volume().images())
    assert names[0] == "input, slice 5"
    assert "slice 5 of 6" in names[1:4]
    assert names[4:] == ["input mask, slice 5"]
    assert len(draw_card(Figure(), volume()).axes) == len(names)


def test_a_volume_without_a_look_shows_its_mask() -> None:
    found = volume()
    bare = Explanation(**{**vars(found), "picture": None})
    assert all(pixels.shape == (8, 8, 3) for pixels in bare.images().values())
    assert bare.coloured_words() == []
