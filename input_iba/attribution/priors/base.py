"""What a prior is, and how to fit one to groups of samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from input_iba.attribution.feature_iba import FittedFeatures
from input_iba.attribution.task import AttributionTask
from input_iba.core.optimise import Progress
from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class FittedPrior:
    """The prior of S samples.

    Attributes:
        lambda_: Mask λ_G in [0, 1], (S, C, H, W).
        failures: Per sample what went wrong, or None.
        losses: Loss histories by part, each (steps, S).
    """

    lambda_: Tensor
    failures: tuple[str | None, ...]
    losses: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, lambda_: Tensor, losses: Mapping[str, Tensor] | None = None) -> FittedPrior:
        """Make a prior of masks (S, C, H, W), and note of each whether it is finite."""
        finite = torch.isfinite(lambda_).flatten(1).all(1).tolist()
        reason = "the prior's mask is not finite: check the features for very large values"
        return cls(lambda_, tuple(None if ok else reason for ok in finite), losses or {})


@dataclass(frozen=True, kw_only=True)
class Prior(Settings, ABC):
    """A way to find the prior's mask λ_G, with its settings."""

    PLACE = "gan."

    verbose: bool = setting(
        False,
        "accepted from published configs; progress is reported anyway",
        changes_result=False,
    )

    @abstractmethod
    def fit(self, task: AttributionTask, feature: FittedFeatures) -> FittedPrior:
        """Find λ_G for every sample.

        Args:
            task: The samples.
            feature: What stage 1 has learned about them.
        """


def fit_in_groups(
    task: AttributionTask,
    feature: FittedFeatures,
    draws: int,
    fit: Callable[[AttributionTask, FittedFeatures], FittedPrior],
) -> FittedPrior:
    """Fit as many samples side by side as memory allows, group after group.

    Args:
        task: The samples.
        feature: What stage 1 has learned about them.
        draws: Rows that one sample sends through the classifier at once.
        fit: Fits the samples of one group.
    """
    limit = task.internal_batch_size or len(task.ids) * draws
    together = max(limit // draws, 1)
    every = range(len(task.ids))
    groups = [every[start : start + together] for start in every[::together]]
    with task.classifier.frozen():
        parts = [
            fit(
                replace(task.select(group), progress=_part(task.progress, i, len(groups))),
                feature.select(group),
            )
            for i, group in enumerate(groups)
        ]
    return _joined(parts)


def _part(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """Let one of several equal parts report its steps as a part of the whole."""
    if progress is None:
        return None

    def report(stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        progress(stage, part * steps + step, parts * steps, losses)

    return report


def _joined(parts: Sequence[FittedPrior]) -> FittedPrior:
    """Put the priors of groups of samples together again."""
    return FittedPrior(
        lambda_=torch.cat([part.lambda_ for part in parts]),
        failures=tuple(failure for part in parts for failure in part.failures),
        losses={
            name: torch.cat([part.losses[name] for part in parts], dim=1)
            for name in parts[0].losses
        },
    )
