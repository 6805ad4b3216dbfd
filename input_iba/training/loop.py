"""The loop of every training: epochs, the best checkpoint, and how a stopped training goes on."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from input_iba.core.tensor_files import read_tensor_file, write_tensor_file
from input_iba.errors import CheckpointError, InputIBAError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.run.progress import refresh_seconds
from input_iba.run.shell import LOGGER

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Validation:
    """How good a network is on what is held out.

    Attributes:
        score: What the best epoch is chosen by; higher is better.
        metrics: All that was measured, by name; `text` is the same for reading.
    """

    score: float
    metrics: Mapping[str, float]
    text: str


class Trainer(ABC, Generic[Batch]):
    """Trains a network in place; an epoch depends on seed, number and state alone.

    Args:
        optimizer: Of the network's parameters, at the peak of the learning rate.
        steps: Steps per epoch.
        rise: Share of the training in which the learning rate rises; None for torch's own.
    """

    lr_name = "--lr"
    """How users call the learning rate."""

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        epochs: int,
        steps: int,
        seed: int,
        rise: float | None = None,
    ) -> None:
        self.network, self.optimizer = network, optimizer
        self.epochs, self.steps, self.seed = epochs, steps, seed
        total, share = epochs * steps, 0.3
        if rise is not None:
            total = max(total, 2)
            share = max(rise, 1.5 / total)  # a rise of no step divides by zero
        peaks = [group["lr"] for group in optimizer.param_groups]
        self.schedule = OneCycleLR(optimizer, peaks, total, pct_start=share, cycle_momentum=False)

    @abstractmethod
    def batches(self, generator: torch.Generator) -> Iterator[Batch]:
        """Yield the batches of an epoch, in random order, augmented."""

    @abstractmethod
    def size(self, batch: Batch) -> int:
        """Return the number of samples of a batch."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean 'loss' of a batch in nats, which is minimised, and parts of it."""

    @abstractmethod
    def validate(self) -> Validation:
        """Measure the network on what is held out."""

    def update(self) -> None:
        """Change the weights along the gradient."""
        self.optimizer.step()

    def seed_of(self, epoch: int) -> int:
        """Return what everything that an epoch draws is seeded with."""
        return self.seed * 100_003 + epoch

    def train_epoch(
        self, epoch: int, on_step: Callable[[float], object] = lambda _: None
    ) -> dict[str, float]:
        """Pass over the training set once; return means of the loss and its parts, in nats.

        Epochs count from 0. `on_step` is called with the loss of every step.

        Raises:
            InputIBAError: The loss is not finite.
        """
        totals: dict[str, float] = {}
        count = 0
        self.network.train()
        with torch.random.fork_rng():
            torch.manual_seed(self.seed_of(epoch))  # of dropout
            for batch in self.batches(torch.Generator().manual_seed(self.seed_of(epoch))):
                parts = self._step(batch)
                if not math.isfinite(parts["loss"]):
                    raise InputIBAError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {parts['loss']}. "
                        f"Start again with a lower {self.lr_name}."
                    )
                size = self.size(batch)
                for name, value in parts.items():
                    totals[name] = totals.get(name, 0.0) + value * size
                count += size
                on_step(parts["loss"])
        return {name: value / count for name, value in totals.items()}

    def _step(self, batch: Batch) -> dict[str, float]:
        parts = self.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(parts["loss"])
        self.update()
        self.schedule.step()
        return {name: value.item() for name, value in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return what the next epoch depends on beside the weights, as tensors and plain data."""
        schedule = self.schedule.state_dict()
        plain = {k: v for k, v in schedule.items() if isinstance(v, int | float | list)}
        return {"optimizer": self.optimizer.state_dict(), "schedule": plain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


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
