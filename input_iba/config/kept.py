"""The config that a work directory keeps."""

from __future__ import annotations

from pathlib import Path

from input_iba.config.literal import literal_only
from input_iba.config.load import RunConfig, load_config
from input_iba.config.sections import Plain

KEPT = "config.py"
"""Its name in the directory."""


def load_kept(folder: Path, overrides: Plain | None = None) -> RunConfig:
    """Load the config of a work directory, which may be a stranger's: no code is run.

    Raises:
        ConfigError: Says file, section, key and remedy.
    """
    with literal_only():
        return load_config(folder / KEPT, overrides)
