"""What is to be explained of several inputs: from whatever a caller gives to a loss per row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from input_iba.core.targets.base import Facts, Question, Target, chosen_class
from input_iba.core.targets.classes import multi_label, one_class
from input_iba.core.targets.probabilities import class_logits, log_probabilities, probabilities
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Targets


class TargetLosses:
    """The questions that are asked of S samples.

    Args:
        questions: One per sample; their losses map answers (B, …), such as logits (B, classes), to
            (B,).
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = tuple(questions)

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def labels(self) -> tuple[int | None, ...]:
        """Return the class index of each sample, None where the target is not one class."""
        return tuple(question.label for question in self.questions)

    def __call__(self, answers: Tensor) -> Tensor:
        """Compute the loss of every draw: (S, K, …) to (S, K).

        Raises:
            AttributionError: A loss of the caller's own returns another shape than (K,).
        """
        rows = []
        for question, of_sample in zip(self.questions, answers, strict=True):
            row = question.loss(of_sample)
            if row.shape != of_sample.shape[:1]:
                raise AttributionError(
                    f"The target loss returned shape {tuple(row.shape)} for logits of shape "
                    f"{tuple(of_sample.shape)}; expected one loss per row, "
                    f"{tuple(of_sample.shape[:1])}."
                )
            rows.append(row)
        return torch.stack(rows)

    def met(self, losses: Tensor) -> Tensor:
        """Return how well each target is met, from losses (S,): in [0, 1], NaN if not known."""
        known = torch.tensor([one.measured for one in self.questions], device=losses.device)
        return torch.where(known, (-losses).exp().clamp_max(1), torch.nan)

    def select(self, indices: Sequence[int]) -> TargetLosses:
        """Return the losses of some of the samples."""
        return TargetLosses([self.questions[i] for i in indices])


class ClassLosses(TargetLosses):
    """The losses of S samples whose targets are one class each, computed together.

    They are cross-entropies of the softmax, or else binary ones of the class's logit.
    """

    def __init__(self, questions: Sequence[Question], use_softmax: bool) -> None:
        super().__init__(questions)
        self._use_softmax = use_softmax

    def __call__(self, answers: Tensor) -> Tensor:
        """Compute the loss of every draw: (S, K, classes) to (S, K)."""
        scores = log_probabilities(answers, self._use_softmax)
        samples = torch.arange(len(self), device=answers.device)
        return -scores[samples, :, torch.tensor(self.labels, device=answers.device)]

    def select(self, indices: Sequence[int]) -> ClassLosses:
        """Return the losses of some of the samples."""
        return ClassLosses([self.questions[i] for i in indices], self._use_softmax)


def target_losses(
    targets: Targets | None,
    answers: Tensor,
    facts: Facts | Sequence[Facts] = Facts(),  # noqa: B008
) -> TargetLosses:
    """Turn the forms a target may have into one loss per sample.

    Args:
        targets: One for all samples, or one each: a class by its index or name, or None for the
            predicted class, whose loss is the cross-entropy; a `Target`; or one's own loss, (B, …)
            → (B,). Or one-hot (multi-label) rows (S, classes), mean binary cross-entropy.
        answers: What the model says of the unchanged inputs, (S, classes) or (S, …).
        facts: What is known of all samples, or of each.

    Raises:
        ConfigError: Wrong number of targets, or a class that the classifier does not have.
    """
    if isinstance(targets, Tensor | np.ndarray) and targets.ndim == 2:
        rows = torch.as_tensor(targets, dtype=answers.dtype, device=answers.device)
        if rows.shape != answers.shape:
            raise ConfigError(
                f"One-hot targets are of shape {tuple(rows.shape)}; expected a row per sample and "
                f"a column per class, {tuple(answers.shape)}."
            )
        return TargetLosses([Question(multi_label(row), "several classes") for row in rows])
    wanted = one_each(targets, len(answers))
    known = [facts] * len(wanted) if isinstance(facts, Facts) else facts
    questions = list(map(_settled, wanted, answers, known))
    if any(question.label is None for question in questions):
        return TargetLosses(questions)
    return ClassLosses(questions, known[0].use_softmax if known else True)


def _settled(target: Any, answer: Tensor, facts: Facts) -> Question:
    if isinstance(target, Target):
        return target.settle(answer, facts)
    if callable(target):
        return Question(target, "a loss of the caller's own", measured=False)
    return one_class(chosen_class(target, answer, facts), facts)


def family_of(targets: Targets | None) -> Target | None:
    """Return a target that reads the answers which all targets are about; None for logits.

    Raises:
        ConfigError: Targets of several families would have to be asked together.
    """
    several = targets if isinstance(targets, list | tuple) else [targets]
    kinds = {
        type(one) if isinstance(one, Target) and not one.reads_classes else None for one in several
    }
    if len(kinds) > 1:
        names = sorted(kind.type if kind else "a class" for kind in kinds)
        raise ConfigError(f"Targets {' and '.join(names)} cannot be asked in one call. Ask twice.")
    first = next(iter(several), None)
    return first if isinstance(first, Target) and not first.reads_classes else None


def target_of(targets: Targets | None, sample: int) -> Any:
    """Return one sample's part of the targets of several."""
    for_all = targets is None or callable(targets) or isinstance(targets, int | str | Target)
    if for_all or (isinstance(targets, Tensor) and targets.ndim == 0):
        return targets
    return targets[sample : sample + 1]  # type: ignore[index]


def one_each(targets: Any, samples: int) -> list[Any]:
    """Return one target per sample, each of whatever kind."""
    if isinstance(targets, Tensor | np.ndarray | np.integer):
        if targets.ndim > 1 or np.asarray(torch.as_tensor(targets).cpu()).dtype.kind not in "iu":
            raise ConfigError(
                "Targets must be integer class indices (S,) or one-hot rows (S, classes); got "
                f"{targets.dtype} of shape {tuple(targets.shape)}."
            )
        targets = targets.tolist()
    if targets is None or callable(targets) or isinstance(targets, int | str | Target):
        return [targets] * samples
    if not isinstance(targets, Sequence) or len(targets) != samples:
        raise ConfigError(f"Expected one target per sample: {samples}; got {targets!r:.80}.")
    return [
        target.item() if isinstance(target, Tensor | np.integer) else target for target in targets
    ]


SCORES = ("logit", "probability", "log_probability")
"""What of a target other methods of attribution explain; see `target_scores`."""


def target_scores(
    logits: Tensor, losses: TargetLosses, kind: str, use_softmax: bool = True
) -> Tensor:
    """Return how much is said for the targets, rising where their loss falls: (S, K, …) to (S, K).

    Of a class its 'logit', its 'probability', or 'log_probability', the negative loss. Of a target
    that is not one class always the negative loss.

    >>> target_scores(torch.tensor([[[0.0, 3.0]]]), target_losses([1], torch.zeros(1, 2)), "logit")
    tensor([[3.]])
    """
    if kind == "log_probability" or None in losses.labels:
        return -losses(logits)
    values = class_logits(logits) if kind == "logit" else probabilities(logits, use_softmax)
    labels = torch.tensor(losses.labels, device=logits.device)
    return values[torch.arange(len(labels), device=logits.device), :, labels]
