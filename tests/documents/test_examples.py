"""Every example trains, explains, finds its map where the truth is planted, and draws it."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch

from tests.documents.printed import ROOT
from tests.documents.stage import offline

PROJECTS = sorted(
    path.name
    for path in (ROOT / "examples").glob("*.py")
    if "--small" in path.read_text(encoding="utf-8")
)
MAX_LINES = 150


def test_there_are_as_many_as_the_tutorials_list() -> None:
    listed = (ROOT / "tutorials/README.md").read_text(encoding="utf-8")
    assert len(PROJECTS) >= 5
    assert [name for name in PROJECTS if f"(../examples/{name})" not in listed] == []


@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_is_short(name: str) -> None:
    assert len((ROOT / "examples" / name).read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.slow
@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offline(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, "--small"])
    with torch.random.fork_rng():
        runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")
    said = capsys.readouterr().out
    written = re.search(r"Written: (.*)", said)
    assert written is not None, said
    for file in written[1].split(", "):
        assert (tmp_path / file).stat().st_size > 5_000, file
    # What it prints of its maps: the share on what is planted, and the share of all that this is.
    shares = [int(number) for number in re.findall(r"(\d+)%", said)]
    assert max(shares) >= 60, said
