"""Networks that cannot be explained are refused before they are run."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
import torch
from torch import nn

from input_iba.core.explainable import bare, check_explainable, weights_dtype, working_values
from input_iba.core.hooks import find_layer
from input_iba.errors import AttributionError


def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))


def in_inference_mode() -> nn.Module:
    with torch.inference_mode():
        return net()


def traced() -> Any:
    return torch.jit.trace(net(), torch.zeros(1, 3, 3, 3))  # type: ignore[no-untyped-call]


def quantised() -> Any:
    quantise: Any = torch.ao.quantization.quantize_dynamic
    return quantise(net(), {nn.Linear}, torch.qint8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.jit.script(net()), "scripted or traced"),
        (traced, "scripted or traced"),
        (lambda: nn.Sequential(net(), torch.jit.script(nn.ReLU())), "scripted or traced"),
        (quantised, "quantised.*floating-point network"),
        (lambda: nn.Sequential(nn.LazyConv2d(4, 3)), "lazy layers.*Run it once"),
        (in_inference_mode, "inference_mode"),
    ],
    ids=["scripted", "traced", "scripted part", "quantised", "lazy", "inference"],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_has_no_gradients_or_hooks_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(AttributionError, match=message):
        check_explainable(make())


def test_the_remedy_for_weights_of_inference_mode_works() -> None:
    check_explainable(copy.deepcopy(in_inference_mode()))
    check_explainable(net())


def test_layers_have_their_names_within_what_wraps_the_network() -> None:
    own = net()
    compiled = cast(nn.Module, torch.compile(own, backend="eager"))
    for wrapped, name in (
        (nn.DataParallel(own), "module.0"),
        (compiled, "_orig_mod.0"),
        (nn.DataParallel(compiled), "module._orig_mod.0"),
    ):
        assert bare(wrapped) is own
        assert find_layer(wrapped, name) is find_layer(wrapped, "0") is own[0]


@pytest.mark.parametrize(
    ("weights", "inputs", "expected"),
    [
        (torch.float32, torch.float32, torch.float32),
        (torch.bfloat16, torch.bfloat16, torch.float32),
        (torch.float16, torch.float32, torch.float32),
        (torch.float32, torch.float64, torch.float32),
        (torch.float64, torch.float32, torch.float32),
        (torch.float64, torch.float64, torch.float64),
    ],
)
def test_masks_are_computed_in_float32_or_in_doubles_throughout(
    weights: torch.dtype, inputs: torch.dtype, expected: torch.dtype
) -> None:
    own = net().to(weights)
    assert weights_dtype(own) == weights
    assert working_values(torch.zeros(1, 3, 3, 3, dtype=inputs), own).dtype == expected
