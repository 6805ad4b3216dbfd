"""Compare ways to share samples among processes, and see how far Ray scales.

    python -m benchmarks.ray_scaling run CONFIG [--num-samples N] [--preset P] [--out DIR]
    python -m benchmarks.ray_scaling simulate [--workers 1 2 4 …] [--seconds S]

`run` explains the same samples by two processes of torchrun, by one process of two threads, and by
two of Ray, of which one is killed in a last run; it prints seconds, what is above the stages' own,
and whether the maps are equal. `simulate` lets actors of a Ray on this machine sleep in place of a
classifier's passes, so that a few cores can play many machines: it measures what giving out the
work costs. Both need a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from input_iba.run.on_ray import session, spread
from input_iba.run.options import LaunchOptions

WORKERS = (1, 4, 16, 64)
MIDDLE = 60
"""Samples after which a process is killed."""

PIECES = 20
"""Pieces of work for each actor of a simulation."""

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
HERE = ("-m", "input_iba.cli.main", "attribute")
OPTIONS = ("--precision", "fp32", "--device", "cpu", "--samples-per-batch", "4")
RAY = ("--launcher", "ray", "--num-workers", "2")
WAYS: dict[str, tuple[int, tuple[str, ...]]] = {
    "two processes of torchrun": (1, (*TORCHRUN, *HERE, "--launcher", "pytorch")),
    "one process, two threads": (2, HERE),
    "two processes of Ray": (1, (*HERE, *RAY)),
    "two of Ray, one killed": (1, (*HERE, *RAY)),
}
"""Threads of each process, and what begins it."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one of the two tables."""
    options = parse(arguments)
    found = options.measure(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ray_scaling")
    kinds = parser.add_subparsers(required=True)
    run = kinds.add_parser("run", help="the same samples in several ways")
    run.add_argument("config")
    run.add_argument("--num-samples", default="200")
    run.add_argument("--preset", default="instant")
    run.add_argument("--out", type=Path, default=Path("workdirs/ray_scaling"))
    run.set_defaults(measure=compare)
    simulate = kinds.add_parser("simulate", help="actors that sleep")
    simulate.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    simulate.add_argument("--seconds", type=float, default=2.0, help="of a piece of work")
    simulate.set_defaults(measure=simulated)
    for one in (run, simulate):
        one.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args(arguments)


Span = tuple[float, float, int]
"""Begin and end of a piece of work, in the system's seconds, and the process that did it."""


@dataclass(frozen=True)
class Sleep:
    """Work that takes as long as it is said to, and tells when it ran."""

    seconds: float

    def __call__(self) -> Callable[[int], Span]:
        """Return what sleeps."""
        return self.piece

    def piece(self, _index: int) -> Span:
        """Sleep, and return when that began and ended, in the system's seconds, and where."""
        begun = time.time()
        time.sleep(self.seconds)
        return begun, time.time(), os.getpid()


def simulated(options: argparse.Namespace) -> list[dict[str, float]]:
    """Time pieces of work by more and more actors; see `efficiency`."""
    most = max(options.workers)
    print(f"{'actors':>8}{'pieces':>8}{'start, s':>10}{'work, s':>10}{'efficiency':>12}")
    rows = []
    with session(LaunchOptions(launcher="ray", num_workers=most)):
        for actors in options.workers:
            row = efficiency(actors, options.seconds)
            rows.append(row)
            print("{actors:8}{pieces:8}{start:10.1f}{work:10.2f}{efficiency:12.3f}".format(**row))
        rate = pieces_per_second(min(most, 8))
    print(f"Pieces that take no time: {rate:.0f} a second, whatever the number of actors.")
    return rows


def efficiency(actors: int, seconds: float) -> dict[str, float]:
    """Return which share of the time actors work, from when all are there to the end of the last.

    What they do while others still begin does not count: that is the same for any work.
    """
    pieces, begun = actors * PIECES, time.time()
    spans = [done.value for done in spread(Sleep(seconds), pieces, _of(actors)) if done.value]
    firsts: dict[int, float] = {}
    for first, _, process in sorted(spans):
        firsts.setdefault(process, first)
    there, ended = max(firsts.values()), max(end for _, end, _ in spans)
    worked = sum(end - max(first, there) for first, end, _ in spans if end > there)
    return {
        "actors": len(firsts),
        "pieces": sum(first >= there for first, _, _ in spans),
        "start": there - begun,
        "work": ended - there,
        "efficiency": worked / (ended - there) / actors,
    }


def pieces_per_second(actors: int, pieces: int = 500) -> float:
    """Return how many pieces that take no time are given out and come back."""
    ends = sorted(done.value[1] for done in spread(Sleep(0), pieces, _of(actors)) if done.value)
    return (pieces - actors) / (ends[-1] - ends[actors])


def _of(actors: int) -> LaunchOptions:
    return LaunchOptions(launcher="ray", num_workers=actors)


def compare(options: argparse.Namespace) -> dict[str, dict[str, float | bool]]:
    """Explain the same samples in every way; print a table."""
    rows: dict[str, dict[str, float | bool]] = {}
    print(f"{'':28}{'seconds':>9}{'stages':>9}{'overhead':>10}  maps")
    for way, (threads, begin) in WAYS.items():
        out = options.out / way.replace(" ", "_").replace(",", "")
        fixed = ("--num-samples", options.num_samples, "--preset", options.preset, *OPTIONS)
        command = [sys.executable, *begin, options.config, "--work-dir", str(out), *fixed]
        start = time.perf_counter()
        killed = run(command, threads, out if "killed" in way else None)
        seconds = time.perf_counter() - start
        stages = seconds_of_stages(out) / (1 if begin == HERE else 2)
        equal = maps(out) == maps(options.out / "two_processes_of_torchrun")
        rows[way] = {"seconds": seconds, "stages": stages, "equal": equal, "killed": killed}
        said = "as by torchrun, bit for bit" if equal else "others than by torchrun"
        print(f"{way:28}{seconds:9.1f}{stages:9.1f}{seconds / stages - 1:10.1%}  {said}")
    return rows


def run(command: Sequence[str], threads: int, kill_in: Path | None) -> bool:
    """Run a command, kill an actor of its Ray once `MIDDLE` are done; return whether one was."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    killed = False
    while process.poll() is None:
        time.sleep(0.2)
        if kill_in is not None and not killed and len(records(kill_in)) >= MIDDLE:
            victim = next(actors_of(process.pid), None)
            if victim is not None:
                os.kill(victim, signal.SIGKILL)
                killed = True
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with status {process.returncode}.")
    return killed


def actors_of(process: int) -> Iterator[int]:
    """Yield the processes below one that are actors of Ray Data (Linux)."""
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            if Path(f"/proc/{child}/cmdline").read_text().startswith("ray::MapWorker"):
                yield child
            yield from actors_of(child)


def records(work: Path) -> list[str]:
    """Return the lines of the records so far."""
    return [line for file in work.glob("records*.jsonl") for line in file.read_text().splitlines()]


def seconds_of_stages(work: Path) -> float:
    """Return the seconds that the three stages took of all samples together."""
    return float(sum(sum(json.loads(line)["seconds"].values()) for line in records(work)))


def maps(work: Path) -> dict[str, bytes]:
    """Return the files of all maps by name."""
    return {file.name: file.read_bytes() for file in sorted((work / "maps").rglob("*.npz"))}


if __name__ == "__main__":
    main()
