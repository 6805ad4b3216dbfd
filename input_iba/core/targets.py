"""What is to be explained: from class indices, one-hot rows or losses to a loss per logit row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.errors import AttributionError, ConfigError, closest
from input_iba.records import TargetLoss, Targets


class TargetLosses:
    """The losses of S samples.

    Args:
        losses: One loss per sample, each from logits (B, classes) to (B,).
        labels: The class index of each sample, None where the target is not one class.
    """

    def __init__(self, losses: Sequence[TargetLoss], labels: Sequence[int | None]) -> None:
        self.losses = tuple(losses)
        self.labels = tuple(labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __call__(self, logits: Tensor) -> Tensor:
        """Compute the loss of every draw: (S, K, classes) to (S, K).

        Raises:
            AttributionError: A loss of the caller's own returns another shape than (K,).
        """
        rows = []
        for loss, of_sample in zip(self.losses, logits, strict=True):
            row = loss(of_sample)
            if row.shape != of_sample.shape[:1]:
                raise AttributionError(
                    f"The target loss returned shape {tuple(row.shape)} for logits of shape "
                    f"{tuple(of_sample.shape)}; expected one loss per row, "
                    f"{tuple(of_sample.shape[:1])}."
                )
            rows.append(row)
        return torch.stack(rows)

    def select(self, indices: Sequence[int]) -> TargetLosses:
        """Return the losses of some of the samples."""
        return TargetLosses([self.losses[i] for i in indices], [self.labels[i] for i in indices])


class ClassLosses(TargetLosses):
    """The losses of S samples whose targets are one class each, computed together.

    They are cross-entropies of the softmax, or else binary ones of the class's logit.
    """

    def __init__(self, labels: Sequence[int], use_softmax: bool) -> None:
        super().__init__((), labels)
        self._classes = tuple(labels)
        self._use_softmax = use_softmax

    def __call__(self, logits: Tensor) -> Tensor:
        """Compute the loss of every draw: (S, K, classes) to (S, K)."""
        scores = log_probabilities(logits, self._use_softmax)
        samples = torch.arange(len(self._classes), device=logits.device)
        return -scores[samples, :, torch.tensor(self._classes, device=logits.device)]

    def select(self, indices: Sequence[int]) -> ClassLosses:
        """Return the losses of some of the samples."""
        return ClassLosses([self._classes[i] for i in indices], self._use_softmax)


def target_losses(
    targets: Targets | None,
    logits: Tensor,
    use_softmax: bool = True,
    class_names: Sequence[str] = (),
) -> TargetLosses:
    """Turn the forms a target may have into one loss per sample.

    Args:
        targets: One class for all samples, or one each: an index, a name, or None for the
            predicted class; cross-entropy of the softmax. Or one-hot (multi-label) rows
            (S, classes), mean binary cross-entropy; or one loss of logits (B, classes) → (B,) for
            all samples, or S of them.
        logits: Logits of the unchanged inputs, (S, classes), to check the targets against.
        use_softmax: With False a class index stands for the binary cross-entropy of its own
            logit, for heads whose classes do not exclude each other.
        class_names: By class index.

    Raises:
        ConfigError: Wrong number of targets, or a class that the classifier does not have.
    """
    samples, classes = logits.shape
    if isinstance(targets, Tensor | np.ndarray) and targets.ndim == 2:
        rows = torch.as_tensor(targets, dtype=logits.dtype, device=logits.device)
        if rows.shape != logits.shape:
            raise ConfigError(
                f"One-hot targets are of shape {tuple(rows.shape)}; expected a row per sample and "
                f"a column per class, {tuple(logits.shape)}."
            )
        return TargetLosses([_multi_label(row) for row in rows], [None] * samples)
    wanted = _one_each(targets, samples)
    found: list[int | TargetLoss] = [
        one if callable(one) else _label(one, classes, class_names, predicted)
        for one, predicted in zip(wanted, predictions(logits), strict=True)
    ]
    labels = [None if callable(target) else target for target in found]
    if None not in labels:
        return ClassLosses(cast(list[int], labels), use_softmax)
    losses = [target if callable(target) else _class_loss(target, use_softmax) for target in found]
    return TargetLosses(losses, labels)


def target_of(targets: Targets | None, sample: int) -> Targets | None:
    """Return one sample's part of the targets of several."""
    for_all = targets is None or callable(targets) or isinstance(targets, int | str)
    if for_all or (isinstance(targets, Tensor) and targets.ndim == 0):
        return targets
    return cast(Sequence[int], targets)[sample : sample + 1]


def _one_each(targets: Any, samples: int) -> list[Any]:
    """Return one target per sample, each of whatever kind."""
    if isinstance(targets, Tensor | np.ndarray | np.integer):
        if targets.ndim > 1 or np.asarray(torch.as_tensor(targets).cpu()).dtype.kind not in "iu":
            raise ConfigError(
                "Targets must be integer class indices (S,) or one-hot rows (S, classes); got "
                f"{targets.dtype} of shape {tuple(targets.shape)}."
            )
        targets = targets.tolist()
    if targets is None or callable(targets) or isinstance(targets, int | str):
        return [targets] * samples
    if not isinstance(targets, Sequence) or len(targets) != samples:
        raise ConfigError(f"Expected one target per sample: {samples}; got {targets!r:.80}.")
    return [
        target.item() if isinstance(target, Tensor | np.integer) else target for target in targets
    ]


def _label(target: Any, classes: int, names: Sequence[str], predicted: Tensor) -> int:
    if target is None:
        return int(predicted)
    last = max(classes - 1, 1)  # a single logit tells two classes apart
    if isinstance(target, str):
        if target in names:
            return list(names).index(target)
        known = f"Known: {', '.join(names[:10])}." if names else "No class names are known."
        raise ConfigError(
            f"Target class {target!r} does not exist.{closest(target, names)} {known} Give an "
            f"index, 0 to {last}, or class_names= with the name of every class."
        )
    if isinstance(target, bool) or not isinstance(target, int):
        raise ConfigError(
            f"A target is a class index, a class name, None or a loss; got {target!r}."
        )
    if not 0 <= target <= last:
        raise ConfigError(
            f"Target class {target} does not exist: the classifier has classes 0 to {last}."
        )
    return target


def _class_loss(label: int, use_softmax: bool) -> TargetLoss:
    one = ClassLosses([label], use_softmax)
    return lambda logits: one(logits[None])[0]


SCORES = ("logit", "probability", "log_probability")
"""What of a target other methods of attribution explain; see `target_scores`."""


def target_scores(
    logits: Tensor, losses: TargetLosses, kind: str, use_softmax: bool = True
) -> Tensor:
    """Return how much is said for the targets, rising where their loss falls: (S, K, …) to (S, K).

    Of a class its 'logit', its 'probability', or 'log_probability', the negative loss. Of a target
    that is not one class always the negative loss.

    >>> target_scores(torch.tensor([[[0.0, 3.0]]]), ClassLosses([1], True), "logit")
    tensor([[3.]])
    """
    if kind == "log_probability" or None in losses.labels:
        return -losses(logits)
    values = class_logits(logits) if kind == "logit" else probabilities(logits, use_softmax)
    labels = torch.tensor(losses.labels, device=logits.device)
    return values[torch.arange(len(labels), device=logits.device), :, labels]


def class_logits(logits: Tensor) -> Tensor:
    """Return logits (…, classes); a single logit z stands for two, −z and z, (…, 2).

    >>> class_logits(torch.tensor([[2.0]]))
    tensor([[-2.,  2.]])
    """
    return torch.cat([-logits, logits], -1) if logits.shape[-1] == 1 else logits


def probabilities(logits: Tensor, use_softmax: bool = True) -> Tensor:
    """Turn logits (…, classes) into probabilities of the same shape.

    A single logit z tells two classes apart, with probabilities σ(−z) and σ(z), (…, 2).

    >>> probabilities(torch.zeros(1, 1))
    tensor([[0.5000, 0.5000]])
    """
    if logits.shape[-1] == 1:
        return class_logits(logits).sigmoid()
    return logits.softmax(-1) if use_softmax else logits.sigmoid()


def log_probabilities(logits: Tensor, use_softmax: bool = True) -> Tensor:
    """Return the logarithm of `probabilities`, computed without rounding them first."""
    if logits.shape[-1] == 1:
        return F.logsigmoid(class_logits(logits))
    return logits.log_softmax(-1) if use_softmax else F.logsigmoid(logits)


def predictions(logits: Tensor) -> Tensor:
    """Return the class that logits (B, classes) speak for, (B,); a single logit z for z > 0.

    >>> predictions(torch.tensor([[-1.0], [2.0]]))
    tensor([0, 1])
    """
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)


def _multi_label(row: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda logits: F.binary_cross_entropy_with_logits(
        logits, row.expand_as(logits), reduction="none"
    ).mean(-1)
