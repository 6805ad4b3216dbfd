"""The kind of processor has a name wherever the system tells one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.core import processor as module
from input_iba.core.processor import processor


def test_the_name_stands_before_the_vector_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\nflags\t: avx2\n")
    monkeypatch.setattr(module, "CPU_INFO", file)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert processor() == "Some CPU @ 2 GHz, AVX2"


@pytest.mark.parametrize("content", [None, "Hardware\t: board\n"])
def test_where_linux_names_none_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "cpuinfo"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(module, "CPU_INFO", file)
    monkeypatch.setattr("platform.processor", lambda: "")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert processor().startswith("riscv64, ")
