"""The number format in which the classifier computes; masks are float32 always."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from input_iba.core.strided import FloatGradients
from input_iba.errors import ConfigError

PRECISIONS = ("auto", "fp32", "bf16")


def choose_precision(name: str, device: torch.device) -> torch.dtype | None:
    """Return the type to autocast the classifier to, or None for float32.

    'auto' takes bfloat16 where the hardware computes with it.

    Raises:
        ConfigError: The name is unknown, or the device cannot do it.
    """
    if name not in PRECISIONS:
        raise ConfigError(f"Unknown --precision {name!r}. Known: {', '.join(PRECISIONS)}.")
    if name == "fp32":
        return None
    if name == "bf16":
        if device.type == "mps":
            raise ConfigError("--precision bf16 is not supported on mps. Use fp32.")
        return torch.bfloat16
    return torch.bfloat16 if computes_bf16(device) else None


def computes_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 in hardware, rather than emulating it."""
    if device.type == "cuda":
        # Ampere is the first with bfloat16 units; torch's own check also counts emulation.
        return torch.cuda.get_device_capability(device) >= (8, 0) and torch.version.hip is None
    return device.type == "cpu" and bool(cpu_flags() & {"avx512_bf16", "amx_bf16"})


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return what the processor can do, in Linux's names; empty where that cannot be read."""
    if platform.system() != "Linux":
        return frozenset()
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def precision_name(dtype: torch.dtype | None) -> str:
    """Return 'bf16' or 'fp32', as the manifest has it."""
    return "bf16" if dtype is torch.bfloat16 else "fp32"


@contextmanager
def precision(autocast: torch.dtype | None, device: torch.device) -> Iterator[None]:
    """Make networks compute in `autocast`, None for their own type; compiled parts eagerly."""
    with ExitStack() as stack:
        stack.enter_context(_eagerly())
        if autocast is not None:
            stack.enter_context(torch.autocast(device.type, dtype=autocast))
            if device.type == "cpu":
                stack.enter_context(FloatGradients())
        yield


def _eagerly() -> AbstractContextManager[Any]:
    """Run what torch.compile has compiled as it was written, so that hooks see every layer."""
    stance = getattr(torch.compiler, "set_stance", None)  # torch 2.6 and newer
    if stance is None or "torch._dynamo" not in sys.modules:
        return nullcontext()
    eagerly: AbstractContextManager[Any] = stance("force_eager")
    return eagerly
