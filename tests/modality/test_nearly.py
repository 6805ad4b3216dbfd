"""Inputs that are nearly right: what the front door says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

import input_iba
from input_iba.errors import AttributionError, DataError

NET = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("my.jpg", r"Open images: PIL\.Image\.open\('my\.jpg'\), with transform="),
        (Path("my.PNG"), r"got PosixPath\. Open images: PIL\.Image\.open\('my\.PNG'\)"),
        (np.zeros((1, 3, 8, 8)), r"got ndarray \(1, 3, 8, 8\)\. Make a tensor of the array"),
        ([np.zeros((3, 8, 8))], r"got ndarray \(3, 8, 8\)\. Make a tensor of the array"),
        ("A text.", r"or token ids \(S, T\) as a tensor\.$"),
    ],
)
def test_inputs_that_are_nearly_right_come_with_a_remedy(data: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        input_iba.explain(NET, data)


def test_an_array_is_told_so_where_statistics_are_fitted_too() -> None:
    with pytest.raises(DataError, match="Make a tensor of the array"):
        input_iba.InputIBA(NET).fit(np.zeros((2, 3, 8, 8)))


def test_weights_alone_are_no_model() -> None:
    weights: Any = NET.state_dict()
    with pytest.raises(AttributionError, match=r"got OrderedDict\. .*load_state_dict"):
        input_iba.InputIBA(weights)
