"""What the command lines of VIBI say, beside the config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.run.options import ComputeOptions, DeviceOptions
from input_iba.settings import REQUIRED, setting
from input_iba.vibi.training_settings import spelled


@dataclass(frozen=True)
class VibiOptions(ComputeOptions):
    """How to run, beside the config."""

    work_dir: Path | None = setting(
        None,
        "folder for checkpoints, metrics and figures (default: workdirs/vibi/<setting>)",
        flag=("--work-dir", "--work_dir"),
        metavar="DIR",
    )
    resume: bool = setting(
        False, "continue after the last whole epoch", flag=spelled("resume_training")
    )
    save_best: bool = setting(
        False,
        "keep only the best checkpoint once the training is complete",
        flag=spelled("save_best"),
    )
    save_images_every_epoch: bool = setting(
        False, "draw explanations after every epoch", flag=spelled("save_images_every_epoch")
    )
    jump_start: Path | None = None


@dataclass(frozen=True)
class ExperimentsOptions(DeviceOptions):
    """Which runs, one after the other."""

    configs: tuple[Path, ...] = setting(
        (),
        "configs: files, or names that `input-iba configs` lists (default: all below vibi/)",
        flag="CONFIG",
    )
    seeds: tuple[int, ...] = setting(
        (0,), "run each setting once with each seed; their mean is added", at_least=0
    )
    work_dir: Path | None = setting(
        None,
        "folder of the settings' work directories (default: workdirs/vibi)",
        flag=("--work-dir", "--work_dir"),
        metavar="DIR",
    )
    out: Path | None = setting(None, "folder of the table (default: --work-dir)", metavar="DIR")


@dataclass(frozen=True)
class ExplainVibiOptions(DeviceOptions):
    """How to explain new inputs."""

    checkpoint: Path = setting(REQUIRED, "best.pth or last.pth of a run", flag="CHECKPOINT")
    out: Path | None = setting(
        None,
        "folder for maps and figures (default: 'explanations' beside the checkpoint)",
        metavar="DIR",
    )
    black_box: Path | None = setting(
        None, "weights of the black box (default: the file that the checkpoint names)"
    )
