"""The notebooks are in git without outputs, and run from top to bottom without a network."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.documents.notebooks import NOTEBOOKS, stripped
from tests.documents.printed import ROOT
from tests.documents.stage import offline

MAX_SECONDS = 180
"""Of one core; a busy machine takes longer, and two cores half of it."""

FEWEST_PICTURES = 4


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stripped(name: str) -> None:
    path = ROOT / "tutorials" / name
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert text == stripped(notebook), "python -m tests.documents.notebooks strips it"


def seconds_of_children() -> float:
    """Return the processor time of the processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offline(monkeypatch, tmp_path)
    if "PYTEST_XDIST_WORKER" in os.environ:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(ROOT / "tutorials" / name, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=4 * MAX_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    before = seconds_of_children()
    client.execute()
    seconds = seconds_of_children() - before
    print(f"{name}: {seconds:.0f} s of one core")
    assert seconds < MAX_SECONDS
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    shown = [output.data for output in outputs if "data" in output]
    pictures = [data for data in shown if "image/png" in data or "text/html" in data]
    assert len(pictures) >= FEWEST_PICTURES
    warnings = [o.text for o in outputs if o.get("name") == "stderr"]
    assert warnings == []
