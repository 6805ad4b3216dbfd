"""Build, check and try what is released: python -m tests.release [--tag v0.2.0] [--unreleased].

The version stands in pyproject.toml. The topmost entry of the changelog, the citation and the tag
must agree with it; `--unreleased` builds and tries all the same, whatever the changelog says.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.documents.printed import ROOT, read

DIST = ROOT / "dist"
TRIED: dict[str, tuple[str, ...]] = {"newest": (), "lowest": ("--resolution", "lowest-direct")}
"""Environments by name: how the versions of what is needed are chosen there."""

PHOTOGRAPH = """
from PIL import Image
from skimage.data import chelsea
Image.fromarray(chelsea()).save("cat.png")
"""
ENTRY = re.compile(r"^## \[?([^\]\s]+)\]?(?: - (\S+))?$", re.MULTILINE)


def version_of(project: str) -> str:
    """Return the version that the text of a pyproject.toml says."""
    found = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert found is not None
    return found[1]


def disagreements(version: str, changelog: str, citation: str, tag: str | None = None) -> list[str]:
    """Say what is not of the version that is to be released.

    >>> disagreements("1.0", "## [1.0] - 2026-12-01", "version: 1.0", "v1.0")
    []
    >>> disagreements("1.0", "## Unreleased", "version: 1.0")
    ["CHANGELOG.md begins with 'Unreleased', without a date; expected '## [1.0] - YYYY-MM-DD'."]
    """
    entry = ENTRY.search(changelog)
    name, date = (entry[1], entry[2] or "") if entry else ("nothing", "")
    wrong = []
    if name != version or not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        dated = f"dated {date!r}" if date else "without a date"
        expected = f"'## [{version}] - YYYY-MM-DD'"
        wrong.append(f"CHANGELOG.md begins with {name!r}, {dated}; expected {expected}.")
    if f"\nversion: {version}\n" not in f"\n{citation}\n":
        wrong.append(f"CITATION.cff does not say 'version: {version}', as pyproject.toml does.")
    if tag is not None and tag != f"v{version}":
        wrong.append(f"The tag is {tag!r}; expected 'v{version}'.")
    return wrong


def start(*command: object, folder: Path = ROOT) -> None:
    """Run a program that must succeed, and sees nothing of the checkout by PYTHONPATH."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    print("==", *command, flush=True)
    subprocess.run(list(map(str, command)), cwd=folder, env=variables, check=True)


def built() -> Path:
    """Build the sdist, and the wheel from it, into an empty `dist`; return the wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    start(sys.executable, "-m", "build", "--outdir", DIST)
    start(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
    [wheel] = DIST.glob("*.whl")
    return wheel


def tried(wheel: Path, name: str, version: str) -> None:
    """Install a wheel into an environment of its own, and explain a photograph from elsewhere."""
    environment = ROOT / "build" / "release" / name
    python, uv = environment / "bin" / "python", [sys.executable, "-m", "uv"]
    start(*uv, "venv", "--quiet", "--clear", "--python", python_for(name), environment)
    how = ("--quiet", "--python", python, *TRIED[name])
    start(*uv, "pip", "install", *how, f"input-iba[samples] @ {wheel.as_uri()}")
    with tempfile.TemporaryDirectory() as elsewhere:
        folder = Path(elsewhere)
        start(python, "-c", PHOTOGRAPH, folder=folder)
        said = [python, "-c", f"import input_iba as i; assert i.__version__ == {version!r}, i"]
        start(*said, folder=folder)
        start(environment / "bin" / "input-iba", "attribute", "--image", "cat.png", folder=folder)
        page = folder / "workdirs" / "cat" / "report.html"
        if not page.is_file():
            raise SystemExit(f"The {name} versions wrote no {page.name}.")
    shutil.rmtree(environment)  # some GiB


def python_for(name: str) -> str:
    """Return the Python to try with: the oldest one that runs here for the lowest versions."""
    names = [f"python3.{minor}" for minor in range(10, 14)] if name == "lowest" else []
    return next(filter(runs, names), sys.executable)


def runs(program: str) -> bool:
    """Return whether a Python is there, and more than the name of one."""
    found = shutil.which(program)
    if found is None:
        return False
    return subprocess.run([found, "-V"], check=False, capture_output=True).returncode == 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, build and try; end with what is wrong, or with where the files are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tag", help="that the release gets, or got")
    parser.add_argument("--unreleased", action="store_true", help="whatever the changelog says")
    given = parser.parse_args(arguments)
    version = version_of(read("pyproject.toml"))
    wrong = disagreements(version, read("CHANGELOG.md"), read("CITATION.cff"), given.tag)
    if wrong and not given.unreleased:
        raise SystemExit("\n".join(wrong))
    wheel = built()
    for name in TRIED:
        tried(wheel, name, version)
    print(f"input_iba {version}: {', '.join(path.name for path in sorted(DIST.iterdir()))}")


if __name__ == "__main__":
    main()
