"""Where the input bottleneck begins: at what something that was trained predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from input_iba.attribution.task import AttributionTask
from input_iba.errors import ConfigError


class Start(Protocol):
    """What predicts the mask of the input bottleneck, such as an explainer trained once for all."""

    def start(self, task: AttributionTask) -> Tensor:
        """Return the logit α of every sample's mask before it is smoothed, finite.

        It is of the shape of `task.inputs`, (S, C, H, W), or that with one channel, (S, 1, H, W);
        of texts (S, T, E) or (S, T, 1).
        """


@runtime_checkable
class OfClassifier(Start, Protocol):
    """A start that knows which classifier it was made for."""

    def check(self, classifier: nn.Module) -> None:
        """Raise a `ConfigError` for another classifier."""

    def reads(self, classifier: nn.Module) -> Sequence[nn.Module]:
        """Return modules whose input and output must be what they are in the classifier itself."""


@dataclass(frozen=True)
class Predicted:
    """What a start predicts for S samples.

    Attributes:
        alpha: The masks' logits, (S, C, H, W).
        failures: Per sample what went wrong, or None.
    """

    alpha: Tensor
    failures: tuple[str | None, ...]

    @classmethod
    @torch.no_grad()
    def by(cls, start: Start, task: AttributionTask) -> Predicted:
        """Ask a start about the samples of a task, once.

        Raises:
            ConfigError: What it returns is of another shape.
        """
        alpha, inputs, name = start.start(task), task.inputs, f"{type(start).__name__}.start()"
        one = list(inputs.shape)
        one[task.modality.channels] = 1
        if list(alpha.shape) not in ([*inputs.shape], one):
            raise ConfigError(
                f"{name} returned the shape {tuple(alpha.shape)} for inputs of the shape "
                f"{tuple(inputs.shape)}: expected that, or {tuple(one)}. Return one logit of the "
                "mask per pixel or word of every sample."
            )
        finite = alpha.isfinite().flatten(1).all(1).tolist()
        reason = f"{name} returned NaN or infinity: check the weights of what predicts the start"
        failures = tuple(None if ok else reason for ok in finite)
        return cls(alpha.to(inputs).expand_as(inputs), failures)
