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
    values: Mapping[str, Tensor | Sequence[float]],
    seconds: Mapping[str, float],
    reasons: Sequence[str | None],
    histories: Mapping[str, Tensor] | None = None,
) -> list[Kind | Failure]:
    """Cut the results of a batch into one record per sample.

    Args:
        kind: Class of the records.
        task: The S samples.
        values: Maps, (S, …) each, and numbers, by the name of their field in `kind`.
        seconds: Per stage, of all samples.
        reasons: Per sample what went wrong, or None.
        histories: Loss histories, (steps, S) each.
    """
    chances = probabilities(task.logits, task.use_softmax).cpu()
    values = {k: v.cpu() if isinstance(v, Tensor) else v for k, v in values.items()}
    losses = {name: history.cpu() for name, history in (histories or {}).items()}
    records: list[Kind | Failure] = []
    for i, (sample_id, reason) in enumerate(zip(task.ids, reasons, strict=True)):
        if reason is not None:
            records.append(Failure(sample_id, reason))
            continue
        prediction, target = int(chances[i].argmax()), task.losses.labels[i]
        own: dict[str, Any] = {
            name: task.tokens.map_of(of_all, i) if isinstance(of_all, Tensor) else of_all[i]
            for name, of_all in values.items()
        }
        largest = chances[i].topk(min(MAX_TOP, len(chances[i])))
        records.append(
            kind(
                id=sample_id,
                target=target,
                prediction=prediction,
                target_probability=math.nan if target is None else chances[i, target].item(),
                prediction_probability=chances[i, prediction].item(),
                top=tuple(zip(largest.indices.tolist(), largest.values.tolist(), strict=True)),
                picture=task.modality.picture(task.inputs[i]),
                losses={name: history[:, i] for name, history in losses.items()},
                seed=task.seed,
                seconds={stage: value / len(task.ids) for stage, value in seconds.items()},
                **own,
            )
        )
    return records


def logit_failures(logits: Tensor) -> list[str | None]:
    """Return why the logits of each sample (S, classes) are unusable, or None."""
    reason = (
        "the classifier's logits are not finite: check the input and the classifier's weights "
        "for NaN"
    )
    return [None if ok else reason for ok in torch.isfinite(logits).all(1).tolist()]


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
