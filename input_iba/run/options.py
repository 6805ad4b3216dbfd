"""What the command line decides about a run, beside the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from input_iba.config.presets import PRESETS
from input_iba.errors import ConfigError
from input_iba.run.launchers import Launcher
from input_iba.settings import Settings, setting

OutStyle = Literal["single_folder", "image_folder"]
Store = Literal["folder", "shards"]


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(Settings):
    """On what a command computes, and in which number format."""

    PLACE = "--"

    device: str = setting(
        "auto",
        "where to compute; auto takes an NVIDIA GPU where there is one",
        metavar="{auto,cpu,cuda[:i],mps}",
    )
    gpu_id: int | None = setting(
        None, "index of the GPU; without a GPU the CPU is used, with a warning", metavar="I"
    )
    precision: str = setting(
        "auto",
        "number format of the classifier; masks are always computed in fp32. auto takes bf16 where "
        "the hardware has it",
        choices=("auto", "fp32", "bf16"),
    )


@dataclass(frozen=True, kw_only=True)
class ComputeOptions(DeviceOptions):
    """What commands share that run a classifier on many samples."""

    seed: int = setting(0, "seed of all noise", at_least=0, below=2**63)
    progress_bar: bool | None = setting(
        None, "show a progress bar (default: on a terminal only)", flag="--pbar"
    )


@dataclass(frozen=True, kw_only=True)
class RayOptions(Settings):
    """Where Ray computes, and with how much."""

    PLACE = "--"

    address: str | None = setting(
        None,
        "with --launcher ray: the cluster, as `ray.init` takes it (default: that of RAY_ADDRESS; "
        "without one a Ray on this machine alone, which ends with the command)",
    )
    num_workers: int | None = setting(
        None,
        "with --launcher ray: processes that compute (default: one for each GPU of the cluster, or "
        "where it has none for each core)",
        at_least=1,
    )
    gpus_per_worker: float | None = setting(
        None,
        "with --launcher ray: GPUs of each process; with 0.5 two share one, so that one reads and "
        "writes while the other computes (default: 1 where the cluster has GPUs)",
        at_least=0,
        metavar="G",
    )


@dataclass(frozen=True, kw_only=True)
class LaunchOptions(RayOptions):
    """What shares the samples among several processes."""

    launcher: Launcher = setting(
        "none",
        "several processes share the samples: those that torchrun (pytorch) or srun (slurm) "
        "started, each with a GPU of its own where there are any; or those that ray starts",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        given = (self.address, self.num_workers, self.gpus_per_worker)
        if self.launcher != "ray" and given != (None, None, None):
            raise ConfigError(
                "--address, --num-workers and --gpus-per-worker are about Ray. Add --launcher ray, "
                "or leave them out."
            )


@dataclass(frozen=True, kw_only=True)
class RunOptions(LaunchOptions, ComputeOptions):
    """Options of `attribute`; overrides of the config's keys are for the manifest."""

    preset: str | None = setting(
        None,
        "parameters of the method instead of those that the config inherits: paper is as "
        "published, fast costs far less. What a config writes itself counts with either",
        choices=PRESETS,
    )
    work_dir: Path | None = setting(
        None,
        "folder for masks, log and records (default: workdirs/<name of the config>)",
        metavar="DIR",
    )
    samples_per_batch: int | Literal["auto"] | None = setting(
        None,
        "samples explained at once; auto takes what is likely to fit. Whatever is asked for is "
        "halved when memory runs out (default: data.data_loader.batch_size of the config)",
        at_least=1,
        metavar="{N,auto}",
    )
    out_style: OutStyle = setting(
        "single_folder", "all masks in one folder, or one sub-folder per class"
    )
    store: Store = setting(
        "folder",
        "keep every mask as a file of its own, or pack finished samples into tar shards as "
        "WebDataset has them; every command reads both",
    )
    store_at: str | None = setting(
        None,
        "where shards are put: a folder, or a URL such as s3://bucket/masks (extra 'store'; "
        "default: shards in the work directory)",
        metavar="DIR|URL",
    )
    samples_per_shard: int = setting(1000, "samples in one shard", at_least=1, metavar="N")
    subset_file: Path | None = setting(
        None,
        "text file with one sample id per line, or one place in the data set, from 0; only these "
        "are explained",
    )
    num_samples: int = setting(
        0,
        "explain N samples drawn at random by --seed, those that the evaluation commands draw with "
        "the same N and seed; 0 for all",
        at_least=0,
    )
    resume: bool = setting(
        False,
        "continue the run in the work directory: finished samples are kept, failed ones are tried "
        "again; refused when the config or another setting of masks changed",
    )
    cfg_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.store_at is not None and self.store == "folder":
            raise ConfigError("--store-at says where shards are put: give --store shards as well.")

    def work_dir_for(self, config: Path) -> Path:
        """Return the work directory, by default named after the config."""
        return self.work_dir if self.work_dir is not None else Path("workdirs") / config.stem

    def as_plain(self) -> dict[str, Any]:
        """Return the options for a manifest: plain data."""
        return {
            key: str(value) if isinstance(value, Path) else value
            for key, value in asdict(self).items()
        }
