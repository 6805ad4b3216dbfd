"""The shell of every run: what it computes on is chosen, what happens logged, its end orderly."""

from __future__ import annotations

import logging
import random
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from input_iba.core.files import remove_parts
from input_iba.core.precision import choose_precision, precision_name
from input_iba.errors import InputIBAError
from input_iba.run.device import choose_device, keep_freed_memory
from input_iba.run.launch import ALONE, Processes
from input_iba.run.launchers import terminable
from input_iba.run.lock import locked
from input_iba.run.options import DeviceOptions

LOGGER = logging.getLogger("input_iba")


class _TerminalHandler(logging.Handler):
    """Writes one clear line per message to stderr, above a progress bar that may be there."""

    def emit(self, record: logging.LogRecord) -> None:
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        text = f"{level}{record.getMessage()}"
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        tqdm.write(text.encode(encoding, "backslashreplace").decode(encoding), file=sys.stderr)


class _FileHandler(logging.FileHandler):
    """Writes to the log; where that cannot be, as on a full disk, the run itself says why it ends.

    Otherwise the terminal would show a traceback for every line.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file, with or without what could not be written."""
        with suppress(OSError):
            super().close()


@contextmanager
def logging_to(path: Path, *, main: bool = True) -> Iterator[logging.Logger]:
    """Log to a file and to the terminal while the block runs.

    Args:
        path: The log file; continued when it exists.
        main: False for a further process of a run: the terminal and what concerns the run as a
            whole are the first one's, so only warnings and errors are logged, to the file, which
            is made when there are any.
    """
    file = _FileHandler(path, encoding="utf-8", errors="backslashreplace", delay=not main)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    terminal = _TerminalHandler()
    earlier_level, earlier_propagate = LOGGER.level, LOGGER.propagate
    LOGGER.setLevel(logging.INFO if main else logging.WARNING)
    LOGGER.propagate = False
    LOGGER.addHandler(file)
    if main:
        LOGGER.addHandler(terminal)
    # Library warnings belong into the file, not between the lines of the terminal.
    logging.captureWarnings(True)
    warnings_log = logging.getLogger("py.warnings")
    warnings_log.addHandler(file)
    try:
        yield LOGGER
    finally:
        warnings_log.removeHandler(file)
        logging.captureWarnings(False)
        LOGGER.removeHandler(file)
        LOGGER.removeHandler(terminal)
        LOGGER.setLevel(earlier_level)
        LOGGER.propagate = earlier_propagate
        file.close()


def to_file_only(message: str) -> None:
    """Log details, such as a traceback, to the file only."""
    record = LOGGER.makeRecord(LOGGER.name, logging.INFO, __file__, 0, message, (), None)
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(record)


@dataclass(frozen=True)
class Run:
    """What a run computes on.

    Attributes:
        autocast: Type in which the classifier computes, or None for float32.
        seed: Of all noise.
        warnings: What the user should know of the choice; said already within `opened`.
    """

    device: torch.device
    autocast: torch.dtype | None
    seed: int = 0
    processes: Processes = ALONE
    warnings: tuple[str, ...] = ()

    def seed_everything(self) -> None:
        """Seed the global generators of Python, numpy and torch.

        Only weights and data loading use them: all noise of the method comes from generators of
        its own, one per sample.
        """
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)
        torch.manual_seed(self.seed)

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
    run = Run(device, autocast, seed, processes, tuple(warnings))
    run.seed_everything()
    return run


def continued_by(resume: bool, option: str = "--resume") -> str:
    """Return what continues a run: an option, or the same command where it is resumed anyway.

    >>> continued_by(False), continued_by(True)
    ('--resume', 'the same command')
    """
    return "the same command" if resume else option


@contextmanager
def _alone(log: Path, processes: Processes) -> Iterator[None]:
    """Lock the folder for this run: its first process first, and then the others."""
    with ExitStack() as stack:
        for first in (True, False):
            with processes.together():
                if processes.is_main is first:
                    stack.enter_context(locked(log, first=first))
                if first and processes.is_main and len([*log.parent.glob("*.lock")]) == 1:
                    remove_parts(log.parent, below=False)  # nobody else is at work here
        yield


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

    The folder of the log is made, and locked. The first of several processes speaks for all, also
    what the user should know of the config, `warnings`. `resume` says what continues the run.

    Raises:
        ConfigError: The device is not there, or cannot compute in that precision.
        ResumeError: Another run writes there.
    """
    with _alone(log, processes), logging_to(log, main=processes.is_main), terminable():
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
