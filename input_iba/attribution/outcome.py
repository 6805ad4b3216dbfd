"""From the tensors of a batch to one record per sample."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.records import Attribution, Failure


def make_records(
    task: AttributionTask,
    chances: Tensor,
    maps: Mapping[str, Tensor],
    histories: Mapping[str, Tensor],
    seconds: Mapping[str, float],
    reasons: Sequence[str | None],
) -> list[Attribution | Failure]:
    """Cut the results of a batch into one record per sample.

    Args:
        task: The S samples.
        chances: Probabilities of the unchanged inputs, (S, classes).
        maps: Maps by the name of their field in `Attribution`, (S, …) each.
        histories: Loss histories, (steps, S) each.
        seconds: Per stage, one sample's share.
        reasons: Per sample what went wrong, or None.
    """
    chances = chances.cpu()
    maps = {name: values.cpu() for name, values in maps.items()}
    histories = {name: values.cpu() for name, values in histories.items()}
    records: list[Attribution | Failure] = []
    for i, (sample_id, reason) in enumerate(zip(task.ids, reasons, strict=True)):
        if reason is not None:
            records.append(Failure(sample_id, reason))
            continue
        prediction, target = int(chances[i].argmax()), task.losses.labels[i]
        records.append(
            Attribution(
                id=sample_id,
                target=target,
                prediction=prediction,
                target_probability=math.nan if target is None else chances[i, target].item(),
                prediction_probability=chances[i, prediction].item(),
                losses={name: values[:, i] for name, values in histories.items()},
                seed=task.seed,
                seconds=dict(seconds),
                **{name: values[i] for name, values in maps.items()},
            )
        )
    return records


def logit_failures(logits: Tensor) -> list[str | None]:
    """Say of each sample (S, classes) whether its logits are unusable, and why."""
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
