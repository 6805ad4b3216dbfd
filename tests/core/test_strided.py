"""The detour for strided grouped convolutions gives the gradients of float32, up to rounding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.strided import FloatGradients


def gradient(dtype: torch.dtype | None, groups: int, stride: int | tuple[int, int]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 8, 9, 11, generator=generator).requires_grad_()
    weight = torch.randn(8, 8 // groups, 3, 3, generator=generator)
    bias = torch.randn(8, generator=generator)
    with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
        out = F.conv2d(x, weight, bias, stride=stride, padding=1, groups=groups)
    (slope,) = torch.autograd.grad(out.float().square().sum(), x)
    return slope


@pytest.mark.parametrize("groups", [1, 2, 8])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)], ids=str)
def test_gradients_are_those_of_float32(groups: int, stride: int | tuple[int, int]) -> None:
    expected = gradient(None, groups, stride)
    with FloatGradients():
        found = gradient(torch.bfloat16, groups, stride)
    assert (found - expected).norm() < 0.02 * expected.norm()


def kinds(x: Tensor, weight: Tensor, padding: int | str = 1) -> str:
    with FloatGradients(), torch.autocast("cpu", torch.bfloat16):
        out = F.conv2d(x, weight, None, 2 if padding == 1 else 1, padding, groups=4)
    return type(out.grad_fn).__name__


def test_only_the_slow_case_takes_the_detour() -> None:
    x, weight = torch.randn(1, 4, 6, 6), torch.randn(4, 1, 3, 3)
    needing = x.clone().requires_grad_()
    assert kinds(needing, weight) == "_ConvolutionBackward"
    assert kinds(x, weight) == "NoneType"
    assert kinds(needing, weight.clone().requires_grad_()) == "ConvolutionBackward0"
    assert kinds(needing, weight, "same") == "ConvolutionBackward0"
