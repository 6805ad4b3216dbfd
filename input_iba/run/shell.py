"""The shell of every run: what it computes on is chosen, what happens logged, its end orderly."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from input_iba.core.precision import choose_precision, precision_name
from input_iba.errors import InputIBAError
from input_iba.run.device import choose_device, keep_freed_memory, seed_everything
from input_iba.run.launch import ALONE, Processes
from input_iba.run.launchers import terminable
from input_iba.run.logs import LOGGER, logging_to, to_file_only
from input_iba.run.options import DeviceOptions


@dataclass(frozen=True)
class Run:
    """What a run computes on.

    Attributes:
        device: Where to compute.
        autocast: Type in which the classifier computes, or None for float32.
        seed: Of all noise.
        processes: Those of the run.
        warnings: What the user should know of the choice; said already within `opened`.
    """

    device: torch.device
    autocast: torch.dtype | None
    seed: int = 0
    processes: Processes = ALONE
    warnings: tuple[str, ...] = ()

    @property
    def precision(self) -> str:
        """Return 'bf16' or 'fp32', as manifests have it."""
        return precision_name(self.autocast)

    @property
    def where(self) -> str:
        """Return the device with the name of a GPU, and how many processes compute."""
        name = str(self.device)
        if self.device.type == "cuda":
            name += f" ({torch.cuda.get_device_name(self.device)})"
        count = self.processes.world_size
        return name if count == 1 else f"{name}, {count} processes"


def chosen(options: DeviceOptions, processes: Processes = ALONE, *, seed: int = 0) -> Run:
    """Choose what to compute on, keep the memory that is freed, and seed the global generators.

    Raises:
        ConfigError: The device is not there, or cannot compute in that precision.
    """
    device, warnings = choose_device(options.device, options.gpu_id, processes.local_rank)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    seed_everything(seed)
    return Run(device, autocast, seed, processes, tuple(warnings))


@contextmanager
def opened(
    log: Path,
    options: DeviceOptions,
    processes: Processes = ALONE,
    *,
    seed: int,
    warnings: Iterable[str] = (),
    resume: str = "--resume",
) -> Iterator[Run]:
    """Log a run to file and terminal, and let SIGTERM and the interrupt key end it in order.

    Args:
        log: The log file; its folder is made.
        options: On what to compute.
        processes: Those of the run; the first of them speaks for all.
        seed: Of the global generators, and of all noise.
        warnings: What the user should know of the config.
        resume: The option that continues what was interrupted.

    Yields:
        What the run computes on.

    Raises:
        ConfigError: The device is not there, or cannot compute in that precision.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with logging_to(log, main=processes.is_main), terminable():
        try:
            with processes.together():
                run = chosen(options, processes, seed=seed)
            for warning in (*warnings, *run.warnings) if processes.is_main else ():
                LOGGER.warning("%s", warning)
            yield run
        except InputIBAError as error:
            if processes.is_main or not error.said:
                to_file_only(f"Ended by an error: {error}")
            raise
        except KeyboardInterrupt:
            LOGGER.warning("Interrupted. What is done is kept: continue with %s.", resume)
            raise
        except Exception:
            to_file_only(f"Ended by an unexpected error:\n{traceback.format_exc()}")
            raise
