"""Work directories of three made-up methods, for comparisons."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.comparing import cell_maps, random_maps, write_work_dir
from tests.commands.evaluating import Evaluated, prepare

TWO = ("--metrics", "localisation", "ehr")
NAMES = ("random0", "random1", "perfect")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Return the tiny data set, with work directories of two random methods and a perfect one."""
    made = prepare(tmp_path_factory.mktemp("made"))
    for seed, name in enumerate(NAMES):
        maps = cell_maps(made) if name == "perfect" else random_maps(made, seed)
        write_work_dir(made, name, maps)
    return made


@pytest.fixture
def tiny(made: Evaluated, tmp_path: Path) -> Evaluated:
    """Return a copy that a test may change, of all but pictures and checkpoint."""
    for name in (*NAMES, "maps"):
        shutil.copytree(made.root / name, tmp_path / name)
    return replace(made, root=tmp_path, maps=tmp_path / "maps")


@pytest.fixture
def three(tiny: Evaluated) -> list[Path]:
    return [tiny.root / name for name in NAMES]
