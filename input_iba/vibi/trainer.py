"""Training of explainer and approximator, and what they are trained for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from input_iba.training.images import augment
from input_iba.training.trainer import Trainer, Validation
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.copies import BlackBoxCopy
from input_iba.vibi.fidelity import measure_fidelity
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.model import Vibi, annealed
from input_iba.vibi.training_settings import VibiTraining


def soft_cross_entropy(log_probabilities: Tensor, logits: Tensor) -> Tensor:
    """Return the cross-entropy H(p, q) in nats, summed over classes, averaged over all draws.

    Args:
        log_probabilities: ln p of the black box on whole inputs (S, classes).
        logits: Of q (S·K, classes), the K draws of a sample in turn.

    References:
        Bang et al. 2019 (arXiv 1902.06918), equation 8.
    """
    samples = len(log_probabilities)
    wanted = log_probabilities.float().exp()[:, None]
    predicted = logits.float().log_softmax(-1).view(samples, -1, logits.shape[-1])
    loss: Tensor = -(wanted * predicted).sum(-1).mean()
    return loss


def kl_from_uniform(logits: Tensor) -> Tensor:
    """Return KL[p(z|x) ‖ uniform] in nats, at least 0, averaged over samples.

    Args:
        logits: Of p(z|x), one draw of a chunk (S, N); -inf marks a chunk that does not exist, and
            the uniform distribution is over those that do.

    References:
        Bang et al. 2019 (arXiv 1902.06918), equation 5, with a uniform r(z).
    """
    log_p = logits.float().log_softmax(-1)
    exists = log_p > -math.inf
    log_p = log_p.masked_fill(~exists, 0.0)
    negative_entropy = (log_p.exp() * log_p * exists).sum(-1)
    return (negative_entropy + exists.sum(-1).float().log()).mean()


def _parameter_groups(vibi: Vibi, settings: VibiTraining) -> list[dict[str, Any]]:
    """Return what is trained; what is copied from the black box apart if it has a rate of its own.

    One group where it has none, as optimisers of older checkpoints have.
    """
    if not settings.copied_lr:
        return [{"params": list(vibi.parameters())}]
    copies = [part for part in vibi.modules() if isinstance(part, BlackBoxCopy)]
    copied = [p for copy in copies for p in copy.classifier.parameters()]
    inside = set(map(id, copied))
    own = [p for p in vibi.parameters() if id(p) not in inside]
    groups = [{"params": own, "lr": settings.lr}, {"params": copied, "lr": settings.copied_lr}]
    return [group for group in groups if group["params"]]


class VibiTrainer(Trainer[tuple[Tensor, Tensor]]):
    """Trains explainer and approximator in place; the black box comes back as it was.

    The best epoch is chosen on what is held out.
    """

    lr_name = "training.lr"

    def __init__(
        self,
        vibi: Vibi,
        black_box: BlackBox,
        data: ExplainedInputs,
        settings: VibiTraining,
        device: torch.device,
        seed: int = 0,
        held_out: ExplainedInputs | None = None,
    ) -> None:
        self.vibi, self.black_box = vibi, black_box
        self.data, self.held_out = data, held_out
        self.settings, self.device = settings, device
        groups = _parameter_groups(vibi, settings)
        adam = torch.optim.AdamW(groups, settings.lr, weight_decay=settings.weight_decay)
        steps = math.ceil(len(data) / settings.batch_size)
        super().__init__(vibi, adam, settings.epochs, steps, seed, settings.warm_up)

    def temperature(self, step: int) -> float:
        """Return the temperature at a step of the whole training."""
        last = max(self.epochs * self.steps - 1, 1)
        return annealed(self.settings.temperature, self.settings.final_temperature, step / last)

    def train_epoch(
        self, epoch: int, on_step: Callable[[float], object] = lambda _: None
    ) -> dict[str, float]:
        """Pass over the training set once; returns also the last 'temperature'."""
        self._noise = torch.Generator(self.device).manual_seed(self.seed_of(epoch))
        with self.black_box.frozen():
            means = super().train_epoch(epoch, on_step)
        return {**means, "temperature": self.temperature(self.schedule.last_epoch - 1)}

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
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

    def size(self, batch: tuple[Tensor, Tensor]) -> int:
        """Return the number of inputs of a batch."""
        return len(batch[0])

    def loss(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the loss and its parts, in nats; see `parts`."""
        inputs, expected = batch
        # The schedule counts the steps of the whole training.
        temperature = self.temperature(self.schedule.last_epoch)
        return self.parts(inputs, expected.to(self.device), temperature, self._noise)

    def parts(
        self, inputs: Tensor, expected: Tensor, temperature: float, noise: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the loss and its parts, in nats.

        Args:
            inputs: (S, …), prepared.
            expected: The black box's ln p on them (S, classes).
            temperature: Of the relaxed samples.
            noise: Draws them.

        Returns:
            'loss' and the unweighted 'cross_entropy', 'kl' and, where they have a weight,
            'top_k_cross_entropy' and 'black_box_cross_entropy'; scalars.
        """
        settings = self.settings
        logits = self.vibi.explain(inputs)
        shown = self.vibi.sample(
            logits, temperature, settings.num_samples, noise, settings.straight_through
        )
        masked = self.vibi.chunks.hide(inputs, shown)
        parts = self._approximated(inputs, logits, masked, expected)
        parts["kl"] = kl_from_uniform(logits)
        total = parts["cross_entropy"] + settings.beta * parts["kl"]
        if settings.top_k_weight:
            total = total + settings.top_k_weight * parts["top_k_cross_entropy"]
        weight = settings.weight_of_black_box
        if weight:
            reaction = self.black_box.log_probabilities(masked)
            parts["black_box_cross_entropy"] = soft_cross_entropy(expected, reaction)
            total = total + weight * parts["black_box_cross_entropy"]
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

    def validate(self) -> Validation:
        """Measure both fidelities; the score is what the training aims at."""
        assert self.held_out is not None
        found = measure_fidelity(
            self.vibi, self.black_box, self.held_out.batches(self.held_out.measured)
        )
        score = found.approximator
        if self.settings.weight_of_black_box:
            score = (found.approximator + found.rationale) / 2
        metrics = {
            "approximator_fidelity": found.approximator,
            "rationale_fidelity": found.rationale,
            "distance": found.distance,
        }
        return Validation(score, metrics, found.text())
