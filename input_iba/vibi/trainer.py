"""Training of explainer and approximator, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from input_iba.errors import ConfigError, InputIBAError, check_positive
from input_iba.training.images import augment
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.losses import kl_from_uniform, soft_cross_entropy
from input_iba.vibi.model import Vibi
from input_iba.vibi.sampling import annealed


@dataclass(frozen=True)
class VibiTraining:
    """How to train.

    Attributes:
        epochs: Passes over the training set.
        batch_size: Inputs per step.
        lr: Peak of the one-cycle learning rate of AdamW.
        weight_decay: Of AdamW.
        warm_up: Share of the training in which the learning rate rises.
        beta: Weight of KL[p(z|x) ‖ uniform]; 0 is L2X.
        num_samples: Draws K of masks per input and step.
        temperature: Of the relaxed samples at the start.
        final_temperature: At the end; in between it falls geometrically.
        straight_through: Show hard masks in training, as evaluation does, with the gradient of
            the relaxed ones.
        black_box_weight: Weight of the black box's own cross-entropy on the masked inputs.
        top_k_weight: Weight of the approximator's cross-entropy on the inputs that evaluation
            shows it, of which the k likeliest chunks are left; it teaches the approximator only.
        flip: Mirror half of the pictures.
        padding: Pixels by which pictures are shifted at most. Of mirrored and shifted pictures
            the black box is asked anew in every step.
    """

    epochs: int = 5
    batch_size: int = 128
    lr: float = 3e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.2
    beta: float = 0.0
    num_samples: int = 1
    temperature: float = 0.7
    final_temperature: float = 0.1
    straight_through: bool = False
    black_box_weight: float = 0.0
    top_k_weight: float = 1.0
    flip: bool = False
    padding: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        positive = ("epochs", "batch_size", "lr", "num_samples", "temperature", "final_temperature")
        check_positive("training", self, *positive)
        for name in ("beta", "black_box_weight", "top_k_weight", "weight_decay", "padding"):
            if getattr(self, name) < 0:
                raise ConfigError(
                    f"training.{name} must be at least 0, got {getattr(self, name)!r}."
                )
        if not 0 < self.warm_up < 1:
            raise ConfigError(f"training.warm_up is a share between 0 and 1, got {self.warm_up!r}.")


class VibiTrainer:
    """Trains explainer and approximator; an epoch depends on seed, number and state alone.

    Args:
        vibi: What is trained, on `device`; changed in place.
        black_box: What it explains; comes back as it was.
        data: Training set.
        settings: How to train.
        device: Where to compute.
        seed: Of order and noise.

    Attributes:
        steps: Steps per epoch.
    """

    def __init__(
        self,
        vibi: Vibi,
        black_box: BlackBox,
        data: ExplainedInputs,
        settings: VibiTraining,
        device: torch.device,
        seed: int = 0,
    ) -> None:
        self.vibi = vibi
        self.black_box = black_box
        self.data = data
        self.settings = settings
        self.device = device
        self.seed = seed
        self.steps = math.ceil(len(data) / settings.batch_size)
        self.optimizer = torch.optim.AdamW(
            vibi.parameters(), settings.lr, weight_decay=settings.weight_decay
        )
        total = max(settings.epochs * self.steps, 2)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            settings.lr,
            total_steps=total,
            pct_start=max(settings.warm_up, 1.5 / total),  # a rise of no step divides by zero
            cycle_momentum=False,
        )

    def temperature(self, step: int) -> float:
        """Return the temperature at a step of the whole training."""
        last = max(self.settings.epochs * self.steps - 1, 1)
        return annealed(self.settings.temperature, self.settings.final_temperature, step / last)

    def loss(self, inputs: Tensor, expected: Tensor, temperature: float) -> dict[str, Tensor]:
        """Return the loss and its parts, in nats.

        Args:
            inputs: (S, …), prepared.
            expected: The black box's ln p on them (S, classes).
            temperature: Of the relaxed samples.

        Returns:
            'loss' and the unweighted 'cross_entropy', 'kl' and, where they have a weight,
            'top_k_cross_entropy' and 'black_box_cross_entropy'; scalars.
        """
        settings = self.settings
        logits = self.vibi.explain(inputs)
        shown = self.vibi.sample(
            *(logits, temperature, settings.num_samples, self._noise, settings.straight_through)
        )
        masked = self.vibi.chunks.hide(inputs, shown)
        parts = self._approximated(inputs, logits, masked, expected)
        parts["kl"] = kl_from_uniform(logits)
        total = parts["cross_entropy"] + settings.beta * parts["kl"]
        if settings.top_k_weight:
            total = total + settings.top_k_weight * parts["top_k_cross_entropy"]
        if settings.black_box_weight:
            reaction = self.black_box.log_probabilities(masked)
            parts["black_box_cross_entropy"] = soft_cross_entropy(expected, reaction)
            total = total + settings.black_box_weight * parts["black_box_cross_entropy"]
        return {"loss": total, **parts}

    def _approximated(
        self, inputs: Tensor, logits: Tensor, masked: Tensor, expected: Tensor
    ) -> dict[str, Tensor]:
        """Return the approximator's losses, from one pass over all it is shown."""
        if not self.settings.top_k_weight:
            return {"cross_entropy": soft_cross_entropy(expected, self.vibi.approximate(masked))}
        top_k = self.vibi.only_top_k(inputs, logits.detach())
        answers = self.vibi.approximate(torch.cat([masked, top_k]))
        drawn, chosen = answers[: len(masked)], answers[len(masked) :]
        return {
            "cross_entropy": soft_cross_entropy(expected, drawn),
            "top_k_cross_entropy": soft_cross_entropy(expected, chosen),
        }

    def train_epoch(
        self, epoch: int, on_step: Callable[[float], object] = lambda _: None
    ) -> dict[str, float]:
        """Pass over the training set once.

        Args:
            epoch: Its number, from 0.
            on_step: Called with the loss of every step.

        Returns:
            Means of the loss and its parts, in nats, and the last 'temperature'.

        Raises:
            InputIBAError: The loss is not finite.
        """
        seed = self.seed * 100_003 + epoch
        self._noise = torch.Generator(self.device).manual_seed(seed)
        order = torch.Generator().manual_seed(seed)
        totals: dict[str, float] = {}
        temperature = self.settings.temperature
        self.vibi.train()
        with torch.random.fork_rng(), self.black_box.frozen():
            torch.manual_seed(seed)  # of dropout, where a network has it
            for i, (inputs, expected) in enumerate(self._batches(order)):
                temperature = self.temperature(epoch * self.steps + i)
                parts = self._step(inputs, expected.to(self.device), temperature)
                if not math.isfinite(parts["loss"]):
                    raise InputIBAError(
                        f"Training diverged in epoch {epoch + 1}: the loss is {parts['loss']}. "
                        "Start again with a lower --lr."
                    )
                for name, value in parts.items():
                    totals[name] = totals.get(name, 0.0) + value * len(inputs)
                on_step(parts["loss"])
        means = {name: value / len(self.data) for name, value in totals.items()}
        return {**means, "temperature": temperature}

    def _batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs, mirrored and shifted as the settings say, and the black box's ln p."""
        settings = self.settings
        for inputs, expected in self.data.batches(settings.batch_size, generator):
            if not (settings.flip or settings.padding):
                yield inputs, expected
                continue
            moved = augment(inputs, settings.padding, generator, settings.flip)
            with torch.no_grad():
                answers = self.black_box.log_probabilities(moved)
            yield moved, answers

    def _step(self, inputs: Tensor, expected: Tensor, temperature: float) -> dict[str, float]:
        parts = self.loss(inputs, expected, temperature)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(parts["loss"])
        self.optimizer.step()
        self.schedule.step()
        return {name: float(value.detach()) for name, value in parts.items()}

    def state(self) -> dict[str, Any]:
        """Return what the next epoch depends on, as tensors and plain data."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "schedule": plain_schedule(self.schedule),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state that `state` returned; the weights are `vibi`'s own."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def plain_schedule(schedule: torch.optim.lr_scheduler.LRScheduler) -> dict[str, Any]:
    """Return a schedule's state without what is not plain data."""
    found = schedule.state_dict()
    return {k: v for k, v in found.items() if isinstance(v, int | float | list)}
