"""A detour around one slow kernel: bf16 gradients of strided, grouped convolutions on CPUs.

In torch 2.14 on a CPU with AVX512-BF16 the input's gradient of the four such layers of
EfficientNet-Lite0 took 7 to 90 times as long in bf16 as in float32, and 3 to 14 times as long as
the detour with its conversions; `python -m benchmarks.kernels` measures it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode


class FloatGradients(TorchFunctionMode):
    """Within this context, strided grouped convolutions in bf16 get their gradients in float32.

    Only the gradient with respect to the input is computed: it is meant for frozen weights.
    Everything else passes unchanged, convolutions whose weight needs a gradient included.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace `torch.conv2d` where the detour is shorter."""
        given = dict(kwargs or {})
        if func is torch.conv2d:
            call = dict(zip(_NAMES, args, strict=False)) | given
            if _is_slow(call):
                return _convolve(**call)
        return func(*args, **given)


_NAMES = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


def _is_slow(call: Mapping[str, Any]) -> bool:
    source, weight = call["input"], call["weight"]
    return (
        call.get("groups", 1) > 1
        and max(_pair(call.get("stride", 1))) > 1
        and not isinstance(call.get("padding", 0), str)
        and source.requires_grad
        and not weight.requires_grad
        and source.dtype in (torch.float32, torch.bfloat16)
        and torch.is_grad_enabled()
    )


def _convolve(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    dtype = torch.get_autocast_dtype("cpu")
    settings = (_pair(stride), _pair(padding), _pair(dilation), groups)
    bias = None if bias is None else bias.to(dtype)
    return _Convolution.apply(input.to(dtype), weight.to(dtype), bias, settings)


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, source: Tensor, weight: Tensor, bias: Tensor | None, settings: Any
    ) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.settings, ctx.like = settings, source.detach()[:0]  # type: ignore[attr-defined]
        ctx.shape = source.shape  # type: ignore[attr-defined]
        return torch.conv2d(source, weight, bias, *settings)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors
        slope = slopes[0].float()
        # The kernel asks for the input, of which it uses the shape and the layout alone.
        source = torch.empty(ctx.shape, dtype=torch.float32, device=slope.device).contiguous(
            memory_format=torch.channels_last
        )
        stride, padding, dilation, groups = ctx.settings
        gradient, _, _ = torch.ops.aten.convolution_backward(
            *(slope, source, weight.float(), None, stride, padding, dilation),
            *(False, (0, 0), groups, (True, False, False)),
        )
        return gradient.to(ctx.like.dtype), None, None, None
