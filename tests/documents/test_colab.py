"""The notebooks install what is missing, and are opened by a badge once it is known where."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.documents.notebooks import NOTEBOOKS
from tests.documents.printed import ROOT

SCRIPT = ROOT / "tutorials/colab.py"
NAMES = [name.removesuffix(".ipynb") for name in NOTEBOOKS]


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    for name in NOTEBOOKS:
        shutil.copy(ROOT / "tutorials" / name, tmp_path)
    return tmp_path


def write(patch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> None:
    patch.setattr(sys, "argv", ["colab.py", "--folder", str(folder), *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def sources(folder: Path, name: str) -> list[str]:
    notebook: Any = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells]


def test_the_notebooks_are_as_the_script_writes_them(
    copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(monkeypatch, copies)
    for name in NOTEBOOKS:
        assert (copies / name).read_bytes() == (ROOT / "tutorials" / name).read_bytes()


def test_a_repository_is_written_into_badge_and_cell_and_taken_out_again(
    copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # once is enough, and twice is no more
        write(monkeypatch, copies, "--repository", "some/where", "--revision", "v1")
    for name in NAMES:
        first, install, *rest = sources(copies, name)
        page = f"github/some/where/blob/v1/tutorials/{name}.ipynb"
        assert first.count(page) == 1
        assert first.startswith("[![Open in Colab](")
        assert 'ADDRESS = "https://github.com/some/where@v1"' in install
        assert not any("find_spec" in source for source in rest)
    write(monkeypatch, copies, "--repository", "")
    for name in NOTEBOOKS:
        assert "colab.research" not in (copies / name).read_text()


def test_what_is_not_a_repository_is_refused(
    copies: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        write(monkeypatch, copies, "--repository", 'x" ; rm')
    assert "expected OWNER/NAME" in capsys.readouterr().err


def test_the_address_stands_in_one_place(tmp_path: Path) -> None:
    own = runpy.run_path(str(SCRIPT))["own_repository"]
    project = tmp_path / "pyproject.toml"
    project.write_text('[project.urls]\nRepository = "https://github.com/some/where.git"\n')
    assert own(project) == "some/where"
    project.write_text('[project]\nname = "x"\n')
    assert own(project) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_cell_does_nothing_where_the_package_is(name: str) -> None:
    install = sources(ROOT / "tutorials", name)[1]
    without_magic = install.replace("    %pip", "    pass  # %pip")
    exec(compile(without_magic, name, "exec"), {})  # raises where it would install


def test_the_cell_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    install = sources(ROOT / "tutorials", NAMES[0])[1].replace("    %pip", "    pass  # %pip")
    with pytest.raises(ImportError, match="copy of its repository"):
        exec(compile(install, "install", "exec"), {})


@pytest.mark.parametrize("name", NAMES)
def test_each_ends_with_something_to_try(name: str) -> None:
    last = sources(ROOT / "tutorials", name)[-1]
    assert last.startswith("## Try\n")
    assert last.count("\n- ") >= 3
