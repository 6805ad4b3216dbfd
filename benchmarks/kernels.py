"""Time the input's gradient of strided depthwise convolutions: bf16, float32, and the detour.

python -m benchmarks.kernels
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch.nn import functional as F

from input_iba.core.strided import FloatGradients
from input_iba.run.device import keep_freed_memory

SHAPES = [(96, 112, 3), (144, 56, 5), (240, 28, 3), (672, 14, 5)]
"""Channels, pixels per side, kernel size of EfficientNet-Lite0's strided depthwise layers."""


def main() -> None:
    """Print milliseconds of the backward pass for ten images, and ratios."""
    keep_freed_memory()
    torch.manual_seed(0)
    print(f"{'layer':24}{'float32':>10}{'bf16':>10}{'detour':>10}{'bf16 / float32':>16}")
    for channels, side, kernel in SHAPES:
        plain = milliseconds(channels, side, kernel, torch.float32, nullcontext())
        short = milliseconds(channels, side, kernel, torch.bfloat16, nullcontext())
        detour = milliseconds(channels, side, kernel, torch.bfloat16, FloatGradients())
        name = f"{channels}×{side}×{side}, {kernel}×{kernel}"
        print(f"{name:24}{plain:10.2f}{short:10.2f}{detour:10.2f}{short / plain:16.1f}")


def milliseconds(
    channels: int,
    side: int,
    kernel: int,
    dtype: torch.dtype,
    detour: AbstractContextManager[object],
) -> float:
    """Return the least time of one backward pass."""
    layout = torch.channels_last
    x = torch.randn(10, channels, side, side).to(dtype).contiguous(memory_format=layout)
    weight = torch.randn(channels, 1, kernel, kernel).to(dtype)
    x.requires_grad_()
    with detour, torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        out = F.conv2d(x, weight, None, 2, kernel // 2, 1, channels)
    slope = torch.randn_like(out)
    return least(lambda: torch.autograd.grad(out, x, slope, retain_graph=True))


def least(call: Callable[[], object], repeats: int = 5) -> float:
    """Return the least of some timings, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
