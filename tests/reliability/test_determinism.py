"""The same seed gives the same masks, whatever is computed together and by whichever processor."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba.core.correlation import spearman
from input_iba.core.processor import processor
from tests.reliability.conftest import Evidence, sized
from tests.tiny_runs import tiny_config, write_config, write_images

SECTION = "Determinism"

FEWEST = 0.99
"""Rank correlation of two maps that are the same but for rounding."""

OLDER = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Makes torch compute as on a processor without AVX-512."""

Maps = dict[str, torch.Tensor]


ALL = sized(4, 16)
"""Pictures that are explained."""


def config_of_all(root: Path) -> Path:
    """Write a config with as many pictures, and the full number of steps."""
    for i, name in enumerate(("cat", "dog")):
        write_images(root / "estimation" / name, "abcdefgh", seed=i)
        write_images(root / "attribution" / name, "abcdefgh"[: ALL // 2], seed=10 + i)
    config = tiny_config(root)
    config["attribution_cfg"]["input_iba"] |= {"opt_steps": sized(10, 20), "batch_size": 3}
    config["attribution_cfg"]["feat_iba"] |= {"opt_steps": 10}
    return write_config(root / "all.py", config)


def masks(
    config: str,
    work: Path,
    *options: str,
    processes: int = 1,
    variables: Mapping[str, str] | None = None,
) -> Maps:
    """Explain by one process or several; return the input masks by name."""
    launcher = ["torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "-m"]
    if processes > 1:
        options = (*options, "--launcher", "pytorch")
    done = subprocess.run(
        [
            *(sys.executable, "-m", *(launcher if processes > 1 else ())),
            *("input_iba.cli.main", "attribute", config),
            *("--work-dir", str(work), "--precision", "fp32", "--device", "cpu", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", **(variables or {})},
    )
    assert done.returncode == 0, done.stderr
    return {
        path.stem: torch.from_numpy(np.load(path)["mask"]).double()
        for path in sorted((work / "input_masks").glob("*.npz"))
    }


def unlike(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> str:
    """Check that masks are the same but for rounding, and say how far they are off at most."""
    assert first.keys() == second.keys()
    pairs = [(first[name], second[name]) for name in first]
    if all(torch.equal(a, b) for a, b in pairs):
        return "equal bit for bit"
    worst = min(float(spearman(a.flatten()[None], b.flatten()[None])) for a, b in pairs)
    off = max(float((a - b).abs().max()) for a, b in pairs)
    assert worst >= FEWEST
    return f"rank correlation {worst:.5f} at least, a value off by {off:.2g} at most"


@pytest.mark.slow
def test_what_is_explained_together_changes_a_mask_by_rounding_only(
    tmp_path: Path, evidence: Evidence
) -> None:
    config = str(config_of_all(tmp_path))
    by = {
        n: masks(config, tmp_path / str(n), "--samples-per-batch", str(n))
        for n in sized((3, ALL), (1, 3, ALL))
    }
    most = by.pop(ALL)
    assert len(most) == ALL
    for n, found in by.items():
        said = unlike(found, most)
        evidence(SECTION, f"Masks of {n} at once against {ALL} at once, ResNet-8", ALL, said)


@pytest.mark.slow
@pytest.mark.skipif(sized(True, False), reason="tests/cli/test_launchers.py has two processes")
def test_the_number_of_processes_changes_no_bit(tmp_path: Path, evidence: Evidence) -> None:
    config, at_once = str(config_of_all(tmp_path)), ("--samples-per-batch", "3")
    one = masks(config, tmp_path / "1", *at_once)
    for count in (2, 3):
        said = unlike(masks(config, tmp_path / str(count), *at_once, processes=count), one)
        assert said == "equal bit for bit"
        evidence(SECTION, f"{count} processes against one", ALL, said)


@pytest.mark.slow
@pytest.mark.skipif(sized(True, False), reason="`make test-faults` repeats whole commands")
def test_a_second_run_makes_the_same_bits(tmp_path: Path, evidence: Evidence) -> None:
    config = str(config_of_all(tmp_path))
    first, second = (masks(config, tmp_path / name) for name in ("first", "second"))
    said = unlike(first, second)
    assert said == "equal bit for bit"
    evidence(SECTION, "A second run of the same command", ALL, said)


@pytest.mark.slow
@pytest.mark.skipif(sized(True, False), reason="`make test-faults` explains photographs twice")
@pytest.mark.skipif(not processor().endswith("AVX512"), reason="the processor has no AVX-512")
def test_another_processor_changes_a_mask_by_rounding_only(
    tmp_path: Path, evidence: Evidence
) -> None:
    here = masks("samples", tmp_path / "here")
    said = unlike(masks("samples", tmp_path / "there", variables=OLDER), here)
    tried = "AVX2 against AVX-512, EfficientNet-Lite0 on photographs"
    evidence(SECTION, tried, len(here), said)
