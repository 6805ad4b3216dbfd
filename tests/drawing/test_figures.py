"""Curves: means with margins, shares, and a file that is a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.drawing import Chart, Line, mean_line, share_line, write_charts


def test_a_margin_is_1_96_standard_errors() -> None:
    values = [[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]]
    line = mean_line("a", [0, 1], values)
    assert line.y == [1.0, 1.0]
    assert line.margin == pytest.approx([1.96 / np.sqrt(3), 0.0])
    assert mean_line("a", [0, 1], values[:1]).margin is None


def test_a_share_falls_from_1() -> None:
    line = share_line("a", [3, 1, 2, 2])
    assert line.x == [1, 2, 2, 3]
    assert line.y == [1.0, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("log_x", [False, True])
def test_a_chart_is_a_png_whatever_its_name(tmp_path: Path, log_x: bool) -> None:
    lines = [Line("a", [1, 10], [0, 1], [0.1, 0.1]), Line("b", [1, 10], [1, 0])]
    path = tmp_path / "curve.part"
    write_charts(path, [Chart("title", "x", "y", lines, log_x)])
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(np.unique(np.asarray(image.convert("L")))) > 10
