"""The loop of every training: epochs, the best checkpoint, and how a stopped training goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from input_iba.core.tensor_files import read_tensor_file, write_tensor_file
from input_iba.errors import CheckpointError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.run.progress import refresh_seconds
from input_iba.run.shell import LOGGER
from input_iba.training.trainer import Trainer


@dataclass(frozen=True)
class Loop:
    """Trains epoch by epoch, keeps the best, and goes on after the last whole epoch.

    Attributes:
        best: File of the best epoch's weights; None keeps none.
        latest: File of the latest epoch's weights and state; None keeps none.
        weights: Key of the weights in both.
        facts: Returns what else both files hold, given the metrics of an epoch.
        identity: What must stay the same for the training to be continued; plain data.
        on_epoch: Called with the metrics of every epoch, before its files are written.
        name: Of the training, for the log.
    """

    trainer: Trainer[Any]
    best: Path | None = None
    latest: Path | None = None
    weights: str = "state_dict"
    facts: Callable[[Mapping[str, Any]], Mapping[str, Any]] = lambda _: {}
    identity: Mapping[str, Any] = field(default_factory=dict)
    on_epoch: Callable[[Mapping[str, Any]], object] = lambda _: None
    name: str = ""

    def run(self, done: int = 0, best: float = -math.inf) -> float:
        """Run the epochs that are left after `resume`; return the best score."""
        for epoch in range(done, self.trainer.epochs):
            metrics, score = self._epoch(epoch)
            self.on_epoch(metrics)
            content = {self.weights: portable(self.trainer.network), **self.facts(metrics)}
            # Of equally good epochs the later one: its learning rate was lower.
            if score >= best:
                best = score
                save(self.best, content)
            state = {"trainer": self.trainer.state(), "identity": dict(self.identity)}
            save(self.latest, {**content, **state, "epoch": epoch + 1, "best": best})
        return best

    def _epoch(self, epoch: int) -> tuple[dict[str, Any], float]:
        """Train and validate once; return the metrics and the score."""
        since = time.perf_counter()
        title = f"{self.name or 'epoch'} {epoch + 1}/{self.trainer.epochs}"
        with progress_bar(self.trainer.steps, "batches", title) as bar:

            def on_step(loss: float) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()

            means = self.trainer.train_epoch(epoch, on_step)
        found = self.trainer.validate()
        seconds = time.perf_counter() - since
        LOGGER.info(
            "%s %d/%d: loss %.4f, on what is held out: %s; %.0f s",
            f"{self.name}, epoch" if self.name else "Epoch",
            epoch + 1,
            self.trainer.epochs,
            means["loss"],
            found.text,
            seconds,
        )
        lr = self.trainer.optimizer.param_groups[0]["lr"]
        facts = {"epoch": epoch + 1, "seconds": round(seconds, 3)}
        return {**facts, **means, "lr": lr, **found.metrics}, found.score

    def resume(self, device: torch.device) -> tuple[int, float]:
        """Restore the latest state if there is one; return the epochs done and the best score."""
        if self.latest is None or not self.latest.exists():
            return 0, -math.inf
        with _reading(self.latest):
            state = read_tensor_file(self.latest, device)
            done, best = int(state["epoch"]), float(state["best"])
            fit_state_dict(self.trainer.network, state[self.weights], self.latest)
            self.trainer.restore(state["trainer"])
        LOGGER.info("Continuing after epoch %d of %d", done, self.trainer.epochs)
        return done, best


def autocasting(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    """Return the context in which layers compute in a number format; None for float32."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)


def made_with(latest: Path) -> Mapping[str, Any] | None:
    """Return the identity of the training of a latest state; None where there is none."""
    if not latest.exists():
        return None
    with _reading(latest):
        return dict(read_tensor_file(latest)["identity"])


@contextmanager
def _reading(latest: Path) -> Iterator[None]:
    """Refuse a state that no training wrote."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"'{latest}' cannot be read as the state of a training ({type(error).__name__}: "
            f"{error}). Remove it to begin anew, or choose another --work-dir."
        ) from error


def portable(network: nn.Module) -> dict[str, Tensor]:
    """Return a network's weights as any machine reads them."""
    return {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}


def save(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all; None writes nothing."""
    if path is not None:
        write_tensor_file(path, content)


def progress_bar(total: int, noun: str, title: str = "") -> Any:
    """Return a progress bar over what a plural names."""
    return tqdm(total=total, desc=title or noun, unit=f" {noun}", mininterval=refresh_seconds())
