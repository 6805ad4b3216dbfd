"""What the command line says of a run that is to be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.run.options import DeviceOptions
from input_iba.settings import REQUIRED, setting


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions(DeviceOptions):
    """What is repeated, where it goes, and what counts as the same."""

    folder: Path = setting(REQUIRED, "work directory of a run", flag="WORK_DIR")
    out: Path | None = setting(
        None,
        "folder for the repeated run (default: WORK_DIR with _reproduced behind it)",
        flag="--work-dir",
        metavar="DIR",
    )
    batches: int = setting(
        0, "repeat the first N batches of samples only; 0 for the whole run", at_least=0
    )
    tolerance: float = setting(
        0.01,
        "maps whose rank correlation is at least 1 minus this count as the same; 0 asks for the "
        "same order of all pixels or words",
        at_least=0,
        below=2,
    )
    progress_bar: bool | None = setting(
        None, "show a progress bar (default: on a terminal only)", flag="--pbar"
    )
