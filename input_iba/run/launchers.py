"""What torchrun and batch systems tell a process: by its environment, and by SIGTERM."""

from __future__ import annotations

import os
import re
import signal
import subprocess  # of Slurm's own scontrol, without a shell  # nosec B404
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING, Literal

from input_iba.errors import ConfigError, ProcessError

if TYPE_CHECKING:  # torch takes seconds to import, and --help needs none of it
    from torch.distributed.distributed_c10d import Store

Launcher = Literal["none", "pytorch", "slurm", "ray"]

PLACES = {
    "pytorch": (
        ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"),
        "torchrun",
        "torchrun --nproc_per_node N --no-python input-iba attribute CONFIG --launcher pytorch",
    ),
    "slurm": (
        ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
        "srun",
        "srun -n N input-iba attribute CONFIG --launcher slurm",
    ),
}
"""What torchrun and Slurm set in the environment, the command, and how it is to be used."""


def speaks(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process reports what all find before they meet, as typing errors."""
    by_slurm = any("slurm" in argument for argument in arguments)
    by_torchrun = "TORCHELASTIC_RUN_ID" in environment
    variable = "RANK" if by_torchrun else "SLURM_PROCID" if by_slurm else ""
    return environment.get(variable, "0") == "0"


def refuse_forgotten_launcher(environment: Mapping[str, str]) -> None:
    """Refuse to be one of several processes that know nothing of each other.

    Raises:
        ConfigError: torchrun started several; the first of them says so.
        ProcessError: In the others.
    """
    count = environment.get("WORLD_SIZE", "1")
    if "TORCHELASTIC_RUN_ID" in environment and count != "1":
        message = (
            f"torchrun started {count} processes, which would all do the same work. "
            "Add --launcher pytorch, so that they share it."
        )
        if environment.get("RANK", "0") != "0":
            raise ProcessError(message, said=True, usage=True)
        raise ConfigError(message)


def place_by(launcher: Launcher, environment: Mapping[str, str]) -> tuple[int, int, int]:
    """Return rank, number of processes, and rank on this machine.

    Raises:
        ConfigError: The launcher did not start this process.
    """
    names, command, example = PLACES[launcher]
    missing = [name for name in names if name not in environment]
    if missing:
        raise ConfigError(
            f"--launcher {launcher}: {command} did not start this process (no "
            f"{', '.join(missing)} in the environment). Start it as\n  {example}\n"
            "or leave --launcher out."
        )
    rank, world_size, local_rank = (int(environment[name]) for name in names[:3])
    return rank, world_size, local_rank


def connect(launcher: Launcher, rank: int, world_size: int, patience: timedelta) -> Store:
    """Connect to the store of the run: torchrun's, or that of Slurm's first process."""
    from torch.distributed.rendezvous import rendezvous

    where = "env://"
    if launcher == "slurm":
        where = "tcp://{}:{}".format(*address_by_slurm(os.environ))
    store: Store
    store, _, _ = next(iter(rendezvous(where, rank, world_size, timeout=patience)))
    return store


def address_by_slurm(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return host and port of the first process, as MASTER_ADDR and MASTER_PORT or Slurm say."""
    # Below the ports that systems give out by themselves, and another one for each job.
    port = 15000 + int(environment.get("SLURM_JOB_ID", "0")) % 15000
    port = int(environment.get("MASTER_PORT", port))
    if "MASTER_ADDR" in environment:
        return environment["MASTER_ADDR"], port
    nodes = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    if re.fullmatch(r"[\w.-]+", nodes):
        return nodes, port
    try:
        command = ["scontrol", "show", "hostnames", nodes]
        found = subprocess.run(  # no shell reads the names  # nosec B603
            command, capture_output=True, text=True, check=True
        ).stdout.split()
        return found[0], port
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise ConfigError(
            f"--launcher slurm: scontrol does not say where the first process of {nodes!r} runs "
            f"({error}). Set MASTER_ADDR to the name of its machine."
        ) from error


AGAIN = 1.0
"""Seconds after which a second signal is a second request: torchrun makes two of one key."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM, as batch systems do."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Terminated` in the block when SIGTERM arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python allows signal handlers in the main thread only.
        return

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    earlier = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, earlier)


@contextmanager
def finishing(what: str, say: Callable[[str], object]) -> Iterator[Callable[[], None]]:
    """Put off SIGTERM and the interrupt key until the block ends; the second time they end it now.

    Lends a function that ends the block if that was asked for: what fails then is not to be tried
    otherwise, because the signal may have ended processes that it needs, such as those that read.

    Args:
        what: Is in flight, in words.
        say: Is told that the process is about to end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    earlier = {
        int(number): handler
        for number in (signal.SIGTERM, signal.SIGINT)
        if callable(handler := signal.getsignal(number))
    }
    asked: list[tuple[int, float]] = []

    def put_off(number: int, frame: FrameType | None) -> None:
        if asked and time.monotonic() - asked[0][1] > AGAIN:
            earlier[number](number, frame)
        elif not asked:
            asked.append((number, time.monotonic()))
            with suppress(RuntimeError):  # a signal came while the terminal was written to
                say(f"Ends after {what}; asked once more, it ends at once.")

    def end_if_asked() -> None:
        for number, _ in asked:
            earlier[number](number, None)

    for number in earlier:
        signal.signal(number, put_off)
    try:
        yield end_if_asked
    except RuntimeError:
        end_if_asked()  # torch raises it anywhere when a process that reads has been ended, too
        raise
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    end_if_asked()


def ignore_termination() -> None:
    """Ignore SIGTERM from here on, for the moments in which a process ends anyway.

    torchrun sends it to all processes once the first has ended with a status other than 0; it
    would cut off messages and change the status of the others.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
