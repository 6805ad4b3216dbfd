"""What the command line decides about a run, beside the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

OutStyle = Literal["single_folder", "image_folder"]
OUT_STYLES: tuple[OutStyle, ...] = ("single_folder", "image_folder")


@dataclass(frozen=True)
class RunOptions:
    """Options of `attribute`.

    Attributes:
        work_dir: Where results go; None for `workdirs/<name of the config>`.
        device: 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'.
        gpu_id: Index of a GPU, as older commands give it; falls back to the CPU.
        precision: 'auto', 'fp32' or 'bf16'.
        seed: Seed of all noise.
        out_style: All masks in one folder, or one sub-folder per class.
        resume: Continue the run that the work directory holds.
        progress_bar: True shows the bar, False hides it, None shows it on a terminal.
        subset_file: Text file with the ids to explain, or their places; None for all.
        num_samples: Number of samples drawn at random, by `seed`; 0 for all.
        samples_per_batch: Samples explained at once, 'auto' for what fits, or None for the config's
            `data.data_loader.batch_size`.
        preset: Preset asked for, for the manifest.
        cfg_options: Overrides of config keys, for the manifest.
    """

    work_dir: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"
    seed: int = 0
    out_style: OutStyle = "single_folder"
    resume: bool = False
    progress_bar: bool | None = None
    subset_file: Path | None = None
    num_samples: int = 0
    samples_per_batch: int | Literal["auto"] | None = None
    preset: str | None = None
    cfg_options: Mapping[str, Any] = field(default_factory=dict)

    def work_dir_for(self, config: Path) -> Path:
        """Return the work directory, by default named after the config."""
        return self.work_dir if self.work_dir is not None else Path("workdirs") / config.stem

    def as_plain(self) -> dict[str, Any]:
        """Return the options for a manifest: plain data."""
        return {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
        }
