"""What the command line decides about a comparison, beside the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from input_iba.commands.evaluate.options import ScoringOptions
from input_iba.settings import REQUIRED, setting


@dataclass(frozen=True, kw_only=True)
class CompareOptions(ScoringOptions):
    """Options of a comparison.

    Attributes:
        cfg_options: Overrides of keys of the first work directory's config.
    """

    work_dirs: tuple[Path, ...] = setting(
        REQUIRED,
        "work directory of a run, for its maps, or its input masks where it has no maps; or a "
        "folder of masks in one, such as WORK_DIR/feat_masks. Classifier and samples come from the "
        "config of the first",
        flag="WORK_DIR",
    )
    out: Path = setting(REQUIRED, "folder of the result", metavar="DIR")
    names: tuple[str, ...] | None = setting(
        None, "one name per WORK_DIR (default: the folders' names)", metavar="NAME"
    )
    against: str | None = setting(
        None,
        "method that the others are compared with, sample by sample (default: the first)",
        metavar="NAME",
    )
    allow_missing: bool = setting(
        False,
        "score each method on every sample that it has a map of; without this only samples of "
        "which every WORK_DIR has one count",
    )
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
