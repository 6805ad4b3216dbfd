"""The kind of processor: other kinds may round the last bits otherwise."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

CPU_INFO = Path("/proc/cpuinfo")


def processor() -> str:
    """Return the name of the processor and the vector instructions that torch uses on it.

    >>> processor().rpartition(", ")[2] in ("DEFAULT", "AVX2", "AVX512", "NO AVX")
    True
    """
    return f"{_name()}, {torch.backends.cpu.get_cpu_capability()}"


def _name() -> str:
    # platform.processor() is empty on many Linux systems, and 'x86_64' on others.
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine()
