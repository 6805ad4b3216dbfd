"""What comes with the package from the top of the repository: configs, found by name."""

from __future__ import annotations

from pathlib import Path

import input_iba
from input_iba.errors import ConfigError, closest


def shipped(folder: str) -> Path:
    """Return a folder of the package: installed within it, or beside it in the repository."""
    package = Path(input_iba.__path__[0])
    within = package / folder
    return within if within.is_dir() else package.parent / folder


SUITES = "benchmark"
"""Folder of the configs that are suites of benchmarks."""


def shipped_configs() -> dict[str, Path]:
    """Return the files of all configs that come with the package, by name.

    Suites of benchmarks are of another kind, see `find_suite`.

    >>> "samples" in shipped_configs(), "vibi/mnist_rationale_k4" in shipped_configs()
    (True, True)
    """
    folder = shipped("configs")
    files = {path.relative_to(folder): path for path in sorted(folder.rglob("*.py"))}
    return {
        name.with_suffix("").as_posix(): path
        for name, path in files.items()
        if not {"_base_", SUITES} & set(name.parts)
    }


def find_config(given: Path | str) -> Path:
    """Return the file of a config: itself, or of what comes with the package by the last parts.

    Raises:
        ConfigError: There is neither.

    >>> find_config("mnist_rationale_k4").name
    'mnist_rationale_k4.py'
    """
    path = Path(given)
    if path.is_file():
        return path
    name = path.as_posix().removesuffix(".py")
    known = shipped_configs()
    named = [file for whole, file in known.items() if f"/configs/{whole}".endswith(f"/{name}")]
    if len(named) == 1:
        return named[0]
    beside = [file.name for file in path.parent.glob("*.py")]
    near = closest(path.name, [*beside, *(file.stem for file in known.values())])
    raise ConfigError(
        f"Config file '{path}' does not exist.{near} "
        "`input-iba configs` lists the names of those that come with the package."
    )


def shipped_suites() -> dict[str, Path]:
    """Return the files of all suites that come with the package, by name.

    >>> "samples" in shipped_suites()
    True
    """
    return {path.stem: path for path in sorted(shipped(f"configs/{SUITES}").glob("*.py"))}


def find_suite(given: Path | str) -> Path:
    """Return the file of a suite: itself, or the one of that name that comes with the package.

    Raises:
        ConfigError: There is neither.
    """
    path, known = Path(given), shipped_suites()
    name = path.as_posix().removesuffix(".py")
    if path.is_file() or name in known:
        return path if path.is_file() else known[name]
    raise ConfigError(
        f"Suite '{path}' does not exist.{closest(name, known)} Those that come with the package: "
        f"{', '.join(known)}."
    )
