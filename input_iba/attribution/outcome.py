"""From the tensors of a batch to one record per sample."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor

from input_iba.attribution.task import Task
from input_iba.core.targets import probabilities
from input_iba.records import Explanation, Failure

MAX_TOP = 5
"""Classes of which records keep the probability."""


Kind = TypeVar("Kind", bound=Explanation)


def make_records(
    kind: type[Kind],
    task: Task,
    values: Mapping[str, Tensor | Sequence[Any]],
    seconds: Mapping[str, float],
    reasons: Sequence[str | None],
    histories: Mapping[str, Tensor] | None = None,
) -> list[Kind | Failure]:
    """Cut the results of a batch into one record per sample.

    Args:
        kind: Class of the records.
        task: The S samples.
        values: Maps, (S, …) each, and what else is known of each sample, by the name of its field
            in `kind`.
        seconds: Per stage, of all samples.
        reasons: Per sample what went wrong, or None.
        histories: Loss histories, (steps, S) each.
    """
    met = task.losses.met(task.losses(task.logits[:, None])[:, 0]).cpu()
    chances = probabilities(task.logits, task.use_softmax).cpu() if task.of_classes else None
    values = {k: v.cpu() if isinstance(v, Tensor) else v for k, v in values.items()}
    losses = {name: history.cpu() for name, history in (histories or {}).items()}
    records: list[Kind | Failure] = []
    for i, (sample_id, reason) in enumerate(zip(task.ids, reasons, strict=True)):
        if reason is not None:
            records.append(Failure(sample_id, reason))
            continue
        question = task.losses.questions[i]
        own: dict[str, Any] = {
            name: task.tokens.map_of(of_all, i) if isinstance(of_all, Tensor) else of_all[i]
            for name, of_all in values.items()
        }
        records.append(
            kind(
                id=sample_id,
                target=question.label,
                asked="" if question.label is not None else question.name,
                **_classes(None if chances is None else chances[i], question.label, met[i]),
                picture=task.modality.picture(task.inputs[i]),
                losses={name: history[:, i] for name, history in losses.items()},
                seed=task.seed,
                seconds={stage: value / len(task.ids) for stage, value in seconds.items()},
                **own,
            )
        )
    return records


def _classes(chances: Tensor | None, target: int | None, met: Tensor) -> dict[str, Any]:
    """Return what a record says of classes, from their probabilities (classes,), if there are."""
    if chances is None:
        return {
            "prediction": None,
            "target_probability": met.item(),
            "prediction_probability": math.nan,
        }
    largest = chances.topk(min(MAX_TOP, len(chances)))
    prediction = int(chances.argmax())
    return {
        "prediction": prediction,
        "target_probability": (met if target is None else chances[target]).item(),
        "prediction_probability": chances[prediction].item(),
        "top": tuple(zip(largest.indices.tolist(), largest.values.tolist(), strict=True)),
    }


def logit_failures(logits: Tensor) -> list[str | None]:
    """Return why the logits of each sample, (S, …), are unusable, or None."""
    reason = (
        "the classifier's logits are not finite: check the input and the classifier's weights "
        "for NaN"
    )
    return [None if ok else reason for ok in torch.isfinite(logits).flatten(1).all(1).tolist()]


def first_reasons(earlier: Sequence[str | None], later: Sequence[str | None]) -> list[str | None]:
    """Return per sample the first thing that went wrong."""
    return [old or new for old, new in zip(earlier, later, strict=True)]


@contextmanager
def clocked(seconds: dict[str, float], stage: str, device: torch.device) -> Iterator[None]:
    """Note how long a stage takes, until the device has finished it."""
    start = time.perf_counter()
    yield
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    seconds[stage] = time.perf_counter() - start
