"""Precision: what is asked for, and what the processor has."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.core.precision import choose_precision, computes_bf16, cpu_flags, precision_name
from input_iba.errors import ConfigError

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "expected"), [("avx2 avx512_bf16 fma", "bf16"), ("avx2", "fp32")]
)
def test_auto_takes_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, flags: str, expected: str
) -> None:
    monkeypatch.setattr("input_iba.core.precision.cpu_flags", lambda: frozenset(flags.split()))
    assert precision_name(choose_precision("auto", CPU)) == expected


def test_the_precision_asked_for_is_taken() -> None:
    assert choose_precision("fp32", CPU) is None
    assert choose_precision("bf16", CPU) is torch.bfloat16
    assert choose_precision("auto", torch.device("mps")) is None
    with pytest.raises(ConfigError, match="Known: auto, fp32, bf16"):
        choose_precision("fp16", CPU)
    with pytest.raises(ConfigError, match="Use fp32"):
        choose_precision("bf16", torch.device("mps"))


def test_processor_flags_are_read_and_their_absence_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    (tmp_path / "cpuinfo").write_text("processor : 0\nflags\t\t: fpu amx_bf16\nbugs : none\n")
    assert cpu_flags(tmp_path / "cpuinfo") == {"fpu", "amx_bf16"}
    (tmp_path / "arm").write_text("Features : fp asimd\n")
    assert cpu_flags(tmp_path / "arm") == frozenset()
    assert cpu_flags(tmp_path / "missing") == frozenset()
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert cpu_flags(tmp_path / "cpuinfo") == frozenset()


@pytest.mark.parametrize(
    ("capability", "hip", "computes"),
    [((7, 5), None, False), ((8, 0), None, True), ((9, 0), None, True), ((9, 0), "6.2", False)],
)
def test_bf16_units_of_a_gpu_are_those_of_ampere_and_newer(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], hip: str | None, computes: bool
) -> None:
    monkeypatch.setattr("input_iba.core.precision.cpu_flags", frozenset)
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    monkeypatch.setattr("torch.version.hip", hip)
    assert computes_bf16(torch.device("cuda")) is computes
    assert not computes_bf16(CPU)
