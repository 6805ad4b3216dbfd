"""What the command line decides about a recommendation, beside its config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from input_iba.config.presets import PRESETS
from input_iba.evaluation.halving import SearchSettings
from input_iba.run.options import ComputeOptions
from input_iba.settings import setting


@dataclass(frozen=True, kw_only=True)
class RecommendOptions(SearchSettings, ComputeOptions):
    """Options of `recommend`, which goes on where it stopped."""

    preset: str | None = setting(
        None, "parameters to begin with instead of those that the config inherits", choices=PRESETS
    )
    work_dir: Path | None = setting(
        None,
        "folder of the config that is written, tables, and what was measured "
        "(default: workdirs/recommend_<name of the config>)",
        metavar="DIR",
    )
    examples: int = setting(4, "samples of which the page shows the maps", at_least=0)
    cfg_options: Mapping[str, Any] = field(default_factory=dict)

    def work_dir_for(self, config: Path) -> Path:
        """Return the work directory, by default named after the config."""
        return self.work_dir or Path("workdirs") / f"recommend_{config.stem}"
