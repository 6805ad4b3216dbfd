"""Explain 50,000 small images: memory, overhead, resume, evaluation, and the page in a browser.

The images and the network are tiny, so that what is around the passes shows. `--samples` makes it
shorter. What is measured is said in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.meters import MIB

SIDE, CLASSES = 32, 10
LEFT = 1000
"""Samples that are left when the run is killed."""

SCORED = 10_000
"""Samples that are scored: the metric takes longer than the explanation."""


def write_images(folder: Path, count: int, seed: int) -> None:
    """Write blobs of colour as PNG, in a folder for each class."""
    draws = np.random.default_rng(seed)
    for number in range(count):
        home = folder / f"class{number % CLASSES}"
        home.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(draws.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE)).save(home / f"{number:06d}.png", compress_level=1)


class Watched:
    """A process, of which memory and the samples that it recorded are looked at while it runs."""

    def __init__(self, arguments: list[str], records: Path) -> None:
        self._records, self._read, self.recorded = records, 0, 0
        if records.exists():
            self._read = records.stat().st_size
        self.memory: list[tuple[int, float]] = []
        self._computed = 0.0
        self.begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL
        )

    def until(self, enough: Callable[[], bool] = lambda: False, every: float = 0.2) -> float:
        """Watch until there is enough or the process ends; return the seconds since its start."""
        while self._process.poll() is None and not enough():
            self._look()
            time.sleep(every)
        self._look()
        return time.perf_counter() - self.begun

    def kill(self) -> None:
        """Kill it as a machine that fails does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def computed(self) -> float:
        """Return the seconds that it has computed, which do not depend on who else does.

        Of a process that has ended they are those up to the last look at it.
        """
        with suppress(OSError):
            text = Path(f"/proc/{self._process.pid}/stat").read_text()
            fields = text.rpartition(")")[2].split()
            self._computed = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return self._computed

    @property
    def status(self) -> int | None:
        """Exit status; None while it runs."""
        return self._process.poll()

    def _look(self) -> None:
        if self._records.exists():
            with self._records.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
            self._read += len(new)
            self.recorded += new.count(b"\n")
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return
        self.computed()
        self.memory.append((self.recorded, pages * os.sysconf("SC_PAGE_SIZE") / MIB))


def at_share(memory: list[tuple[int, float]], share: float, total: int) -> float:
    """Return the memory in MiB when a share of the samples was recorded."""
    return next((mib for count, mib in memory if count >= share * total), memory[-1][1])


def explained(root: Path, store: str, total: int) -> Iterator[tuple[str, str]]:
    """Explain all samples, with a kill in between; yield what was measured."""
    work = root / "work"
    run = ["benchmarks.many_samples_run", str(root), "--store", store]
    first = Watched(run, work / "records.jsonl")
    first.until(lambda: first.recorded >= total - LEFT)
    first.kill()
    marks = [at_share(first.memory, share, total) for share in (0.02, 0.5, 0.97)]
    yield "memory after 2, 50, 97 % of the samples", ", ".join(f"{m:.0f} MiB" for m in marks)
    again = Watched([*run, "--resume"], work / "records.jsonl")
    seconds = again.until(lambda: again.recorded > 0, every=0.02)
    what = f"resume after {first.recorded:,}, until the next samples are recorded"
    yield what, f"{seconds:.1f} s, of which the processor {again.computed():.1f} s"
    again.until(lambda: again.recorded >= total - first.recorded, every=0.02)
    at = time.perf_counter()
    again.until()
    yield "end of the run: records, manifest, pages", f"{time.perf_counter() - at:.0f} s"
    yield "most memory then", f"{max(mib for _, mib in again.memory):.0f} MiB"
    manifest = json.loads((work / "manifest.json").read_text())
    assert manifest["complete"] and again.status == 0, "the run is not complete"
    files = sum(len(names) for _, _, names in os.walk(work))
    most = max(len(names) for _, _, names in os.walk(work))
    yield "files, most in one folder", f"{files:,}, {most:,}"


def overhead(root: Path, count: int = 256) -> Iterator[tuple[str, str]]:
    """Explain some images by a network of usual layers; yield how the time is spent."""
    for preset in ("instant", "fast"):
        run = ["benchmarks.many_samples_run", str(root), "--network", "resnet8"]
        run += ["--preset", preset, "--num-samples", str(count)]
        subprocess.run([sys.executable, "-m", *run], check=True, stdout=subprocess.DEVNULL)
        seconds = json.loads((root / "seconds.json").read_text())
        shares = {kind: f"{value / seconds['loop']:.1%}" for kind, value in seconds.items()}
        yield f"{preset}, ResNet-8, {count} samples: in passes", shares["passes"]
        yield f"{preset}: in the explainer, passes included", shares["explaining"]


def evaluated(root: Path, total: int) -> Iterator[tuple[str, str]]:
    """Score all maps; yield what was measured."""
    rows = root / "scores" / "deletion.rows.jsonl"
    metric = ["insertion_deletion", str(root / "blob.py"), str(root / "work"), str(rows.parent)]
    watched = Watched(
        [
            "benchmarks.many_samples_run",
            "evaluate",
            *metric,
            "deletion.json",
            "--num-samples",
            str(total),
        ],
        rows,
    )
    seconds = watched.until()
    assert watched.status == 0, "the evaluation failed"
    marks = [at_share(watched.memory, share, total) for share in (0.02, 0.5, 0.97)]
    yield "evaluation: memory at 2, 50, 97 %", ", ".join(f"{m:.0f} MiB" for m in marks)
    yield (
        "evaluation: most memory, seconds",
        (f"{max(mib for _, mib in watched.memory):.0f} MiB, {seconds:.0f} s"),
    )


def opened(page: Path) -> Iterator[tuple[str, str]]:
    """Open the page in Chromium and search in it; yield what was measured."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page()
        begun = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector("article .thumbnail")
        yield "page: until cards are shown", f"{time.perf_counter() - begun:.1f} s"
        for what, act in (
            ("search", lambda: tab.fill("#search", "0123")),
            ("sort", lambda: tab.select_option("#sort", "0")),
            ("probability", lambda: tab.fill("#low", "10")),
        ):
            begun = time.perf_counter()
            act()
            tab.evaluate("() => new Promise(requestAnimationFrame)")
            yield f"page: {what}", f"{time.perf_counter() - begun:.2f} s"
        yield "page: samples found", tab.inner_text("#count")
        yield "page: bytes", f"{page.stat().st_size / 1e6:.1f} MB"
        browser.close()


def measured(root: Path, total: int, store: str) -> Iterator[tuple[str, str]]:
    """Do all of it in a folder; yield what was measured and the number."""
    write_images(root / "estimation", 64, seed=1)
    write_images(root / "attribution", total, seed=0)
    yield from explained(root, store, total)
    yield from opened(root / "work" / "report.html")
    yield from evaluated(root, min(total, SCORED))
    yield from overhead(root)


def main(argv: list[str] | None = None) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=50_000)
    parser.add_argument("--store", choices=("folder", "shards"), default="folder")
    parser.add_argument("--folder", type=Path, help="keep everything here")
    arguments: Any = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        root = (arguments.folder or Path(temporary)).resolve()
        for what, number in measured(root, arguments.samples, arguments.store):
            print(f"| {what} | {number} |", flush=True)


if __name__ == "__main__":
    main()
