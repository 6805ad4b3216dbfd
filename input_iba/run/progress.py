"""The progress bar of a run, and its loss lines in the log."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping

from tqdm import tqdm

from input_iba.run.shell import LOGGER

FORMAT = (
    "{desc} {percentage:3.0f}%|{bar}| {n:.1f}/{total:.0f} samples "
    "[{elapsed}<{remaining}, {rate_fmt}]"
)


class RunProgress:
    """Shows stage, samples, rate and time left; a context manager.

    A batch of samples goes through its stages together, so the bar moves within a batch by the
    share of time that the stages so far took of the batch before; the first batch counts every
    stage it meets as equally long until they are known.

    Args:
        total: Samples of this run.
        shown: None shows the bar on a terminal only.
        log_every: Stage names to the number of steps between two lines in the log; below 1 for
            none.
        expected: Guess of the seconds per sample of each stage, before any was measured.
        others: Is told how many samples this process has dealt with; returns how many the other
            processes of the run have, which the bar counts too.
    """

    def __init__(
        self,
        total: int,
        *,
        shown: bool | None = None,
        log_every: Mapping[str, int] | None = None,
        expected: Mapping[str, float] | None = None,
        others: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        visible = sys.stderr.isatty() if shown is None else shown
        self._bar = tqdm(
            total=total,
            disable=not visible,
            unit="sample",
            bar_format=FORMAT,
            file=sys.stderr,
            dynamic_ncols=True,
            smoothing=0.0,
            miniters=0,
            mininterval=refresh_seconds(),
        )
        self._log_every = dict(log_every or {})
        self._expected = dict(expected or {})
        self._measured: dict[str, float] = {}
        self._finished = 0.0
        self._position = 0.0
        self._others = others
        self._shown = 0.0
        self._batch = 0
        self._stage = ""
        self._since = time.perf_counter()

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    @property
    def samples(self) -> float:
        """Samples this process has dealt with, the share of the present batch included."""
        return self._position

    def start_batch(self, size: int) -> None:
        """Begin with the next `size` samples."""
        self._batch = size
        self._measured = {}
        self._stage = ""
        self._since = time.perf_counter()

    def step(self, stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        """Report a step of the batch; fits the `progress` argument of an attributor."""
        now = time.perf_counter()
        if stage != self._stage:
            self._stage, self._since = stage, now
        self._measured[stage] = now - self._since
        self._bar.set_description_str(f"{stage} {step}/{steps}", refresh=False)
        self._move_to(self._finished + self._batch * self._share(stage, step / max(steps, 1)))
        every = self._log_every.get(stage, -1)
        if every > 0 and (step % every == 0 or step == steps):
            parts = ", ".join(
                f"{name} {value:.4g}" for name, value in losses.items() if math.isfinite(value)
            )
            LOGGER.info("%s step %d/%d: %s", stage, step, steps, parts)

    def end_batch(self, size: int) -> None:
        """Count `size` samples as dealt with, failed ones among them."""
        if len(self._measured) > 1:
            self._expected = dict(self._measured)
        self._finished += size
        self._batch = 0
        self._move_to(self._finished)

    def refresh(self) -> None:
        """Show what other processes have done since."""
        self._move_to(self._position)

    def _share(self, stage: str, within: float) -> float:
        """Return which share of the batch's work is done."""
        expected = self._expected or dict.fromkeys(self._measured, 1.0)
        whole = sum(expected.values()) or 1.0
        before = sum(expected.get(name, 0.0) for name in self._measured if name != stage)
        return min(1.0, (before + within * expected.get(stage, 0.0)) / whole)

    def _move_to(self, samples: float) -> None:
        # A bar that went back would be wrong twice.
        self._position = max(samples, self._position)
        shown = max(self._position + self._others(self._position), self._shown)
        self._bar.update(shown - self._shown)
        self._shown = shown


def refresh_seconds() -> float:
    """Return how often a bar is drawn: seldom where every drawing stays, as in a file."""
    return 0.1 if sys.stderr.isatty() else 2.0
