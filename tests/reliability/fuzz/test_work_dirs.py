"""Work directories of which a file is broken: commands do what is right, or say what is wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.cli.main import main
from tests.commands.comparing import cell_maps, compare, random_maps, write_work_dir
from tests.commands.evaluating import Evaluated, prepare
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import bounded, readable, tried
from tests.reliability.fuzz.mutations import Draw, changed_bytes, changed_data
from tests.reliability.fuzz.test_images import SECTION

METRIC = ("--metrics", "localisation")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    """Return data of four samples, two work directories, a comparison and an evaluation."""
    tiny = prepare(tmp_path_factory.mktemp("made"))
    write_work_dir(tiny, "one", random_maps(tiny, 0))
    write_work_dir(tiny, "two", cell_maps(tiny))
    assert compare(tiny, [tiny.root / "one", tiny.root / "two"], *METRIC) == 0
    assert tiny.run("ehr", "ehr.json") == 0
    shutil.copy(tiny.root / "results" / "ehr.json", tiny.root / "one" / "ehr.json")
    return tiny


@pytest.fixture
def tiny(made: Evaluated, tmp_path: Path) -> Evaluated:
    """Return a copy of what commands write to."""
    for name in ("one", "two", "out", "maps", "results"):
        shutil.copytree(made.root / name, tmp_path / name)
    return replace(made, root=tmp_path, maps=tmp_path / "maps")


@st.composite
def changed_lines(draw: Draw, original: bytes) -> bytes:
    """Draw a file of JSON, or of lines of JSON, with changes to bytes or to values."""
    if draw(st.booleans()) or original[:2] == b"PK":
        return bytes(draw(changed_bytes([original])))
    try:
        lines: list[Any] = [json.loads(original)]
    except ValueError:
        lines = [json.loads(line) for line in original.splitlines()]
    place = draw(st.integers(0, len(lines) - 1))
    lines[place] = draw(changed_data(lines[place]))
    return "\n".join(map(json.dumps, lines)).encode() + b"\n"


Command = Callable[[Evaluated], int]

COMMANDS: dict[str, Command] = {
    "report": lambda tiny: main(["report", str(tiny.root / "one")]),
    "report of two": lambda tiny: main(
        ["report", str(tiny.root / "one"), str(tiny.root / "two"), "--out", str(tiny.root / "r")]
    ),
    "compare --resume": lambda tiny: compare(
        tiny, [tiny.root / "one", tiny.root / "two"], *METRIC, "--resume"
    ),
    "evaluate --resume": lambda tiny: tiny.run("ehr", "ehr.json", "--resume"),
    "figure grid": lambda tiny: main(
        ["figure", "grid", str(tiny.root / "one"), "--out", str(tiny.root / "grid.png")]
    ),
    "figure curves": lambda tiny: curves(tiny, "results/ehr.json"),
    "figure curves of rows": lambda tiny: curves(
        tiny, *(f"out/rows/localisation/{name}.rows.jsonl" for name in ("one", "two"))
    ),
}


def curves(tiny: Evaluated, *files: str) -> int:
    paths = [str(tiny.root / file) for file in files]
    return main(["figure", "curves", *paths, "--out", str(tiny.root / "curves.png")])


BROKEN: dict[str, tuple[str, list[str]]] = {
    "records.jsonl": (
        "one/records.jsonl",
        ["report", "report of two", "compare --resume", "figure grid"],
    ),
    "a mask": (
        "one/input_masks/*0.npz",
        ["report", "report of two", "compare --resume", "figure grid"],
    ),
    "manifest.json": (
        "one/manifest.json",
        ["report", "report of two", "compare --resume", "figure grid"],
    ),
    "an evaluation": ("one/ehr.json", ["report", "report of two"]),
    "a result for figures": ("results/ehr.json", ["figure curves"]),
    "rows": ("results/ehr.rows.jsonl", ["evaluate --resume"]),
    "compared rows": (
        "out/rows/localisation/one.rows.jsonl",
        ["compare --resume", "figure curves of rows"],
    ),
    "a comparison": ("out/compare.json", ["compare --resume"]),
}
"""Files, and which commands read them."""


@pytest.mark.parametrize("name", BROKEN)
def test_commands_survive_a_broken(
    name: str, tiny: Evaluated, capsys: pytest.CaptureFixture[str], evidence: Evidence
) -> None:
    place, commands = BROKEN[name]
    [path], counts = tiny.root.glob(place), {0: 0, 1: 0, 2: 0}
    original = path.read_bytes()

    @tried(3 * len(commands), 72)
    @given(content=changed_lines(original), command=st.sampled_from(commands))
    def check(content: bytes, command: str) -> None:
        path.write_bytes(content)
        others = {one: one.read_bytes() for one in kept(tiny) if one != path}
        capsys.readouterr()
        with bounded(seconds=60, megabytes=1024):
            status = COMMANDS[command](tiny)
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out, f"{command}: {said.err}"
        assert status in (0, 1, 2)
        assert status == 0 or readable(said.err), f"{command}: {status}"
        assert all(one.read_bytes() == before for one, before in others.items())
        counts[status] += 1

    check()
    evidence(
        SECTION,
        f"{name} in a work directory, with changed bytes and values; {', '.join(commands)}",
        sum(counts.values()),
        f"{counts[0]} done, {counts[1] + counts[2]} refused in one sentence; masks and records of "
        "others unchanged",
        "values of other types in records, manifests, rows and results ended in tracebacks",
    )


def kept(tiny: Evaluated) -> list[Path]:
    """Return the files that no command here may change: masks, records and manifests."""
    return [
        *tiny.root.glob("*/input_masks/*.npz"),
        *tiny.root.glob("*/records.jsonl"),
        *tiny.root.glob("*/manifest.json"),
    ]
