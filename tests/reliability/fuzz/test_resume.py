"""Runs that go on in a broken work directory: what is there is kept, or the run is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from input_iba.config.load import RunConfig, load_config
from input_iba.errors import InputIBAError
from input_iba.results.map_files import read_map
from input_iba.run.options import RunOptions
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import read_or_refused, tried
from tests.reliability.fuzz.mutations import changed_bytes
from tests.reliability.fuzz.test_images import SECTION
from tests.reliability.fuzz.test_work_dirs import changed_lines
from tests.tiny_runs import five_pictures, run, tiny_config, write_config

MASKS = "input_masks"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunConfig, Path]:
    """Return a config, and the work directory of its run."""
    root = tmp_path_factory.mktemp("run")
    config = load_config(write_config(root / "tiny.py", tiny_config(five_pictures(root / "data"))))
    run(config, options(root / "work", resume=False))
    return config, root / "work"


def options(work: Path, resume: bool = True) -> RunOptions:
    return RunOptions(
        work_dir=work, resume=resume, precision="fp32", device="cpu", progress_bar=False
    )


def contents(work: Path) -> dict[str, bytes]:
    """Return what was computed: the masks, by the names of their files."""
    return {str(p.relative_to(work)): p.read_bytes() for p in work.rglob("*_masks/**/*.npz")}


@pytest.mark.parametrize(
    "name",
    ["records.jsonl", "manifest.json", "config.py", "feature_statistics.npz", "log_file.log"],
)
def test_a_run_goes_on_beside_a_broken(
    name: str, whole: tuple[RunConfig, Path], tmp_path: Path, evidence: Evidence
) -> None:
    config, right = whole
    work, counts = tmp_path / "work", {True: 0, False: 0}
    original = (right / name).read_bytes()
    lines = name.endswith(("jsonl", "json"))

    @tried(2, 60)
    @given(content=changed_lines(original) if lines else changed_bytes([original]))
    def check(content: bytes) -> None:
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(right, work)
        (work / name).write_bytes(content)
        found = read_or_refused(lambda: run(config, options(work)), seconds=60, megabytes=1024)
        counts[not isinstance(found, InputIBAError)] += 1
        if isinstance(found, InputIBAError):
            assert (work / name).read_bytes() == content or name == "log_file.log"
            assert contents(work) == contents(right)
            return
        result, fake = found
        assert (result.done, result.failed) == (5, 0)
        again = {file for call in fake.calls for file in call}
        for file, before in contents(right).items():
            now = (work / file).read_bytes()
            assert now == before or Path(file).stem in again
            assert np.array_equal(read_map(work / file), read_map(right / file))

    check()
    evidence(
        SECTION,
        f"--resume beside a {name} with changed bytes and values",
        sum(counts.values()),
        f"{counts[True]} runs went on to the same masks, {counts[False]} refused; no mask lost",
        "a first record that was cut off swallowed the next one" if name == "records.jsonl" else "",
    )
