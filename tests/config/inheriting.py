"""Configs that inherit presets, to be written to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.tiny_runs import tiny_config, write_config

ROOT = Path(__file__).parents[2]


def without_parameters(root: Path) -> dict[str, Any]:
    """Return a config that says what to explain, and nothing of the method."""
    config = tiny_config(root)
    attributor = config["attributor"]
    return {
        "data": config["data"],
        "attributor": {key: attributor[key] for key in ("type", "layer", "classifier")},
    }


def write(path: Path, base: str, config: dict[str, Any]) -> Path:
    """Write a config that inherits `base`."""
    write_config(path, config)
    path.write_text(f"_base_ = ['{base}']\n" + path.read_text())
    return path


def inheriting(tmp_path: Path, preset: str, **own: Any) -> Path:
    """Write a config that inherits a preset by a file in between, and has some values itself."""
    base = ROOT / "configs" / "_base_" / f"{preset}.py"
    between = write(tmp_path / "between.py", base.as_posix(), without_parameters(tmp_path))
    return write(tmp_path / "child.py", between.name, own)
