"""From the tensors of a batch to one record per sample."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from input_iba.core.targets import TargetLosses
from input_iba.core.tokens import Tokens
from input_iba.core.words import merge_pieces
from input_iba.records import Explanation, Failure, ImageSample, Sample, TextSample

MOST_PROBABLE = 5
"""Classes of which records keep the probability."""


class Explained(Protocol):
    """What records say of the samples of a batch."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The S samples' ids."""

    @property
    def inputs(self) -> Tensor:
        """What the classifier was given, (S, C, H, W), or embeddings (S, T, E)."""

    @property
    def losses(self) -> TargetLosses:
        """Their targets."""

    @property
    def seed(self) -> int:
        """Seed of the run."""


Kind = TypeVar("Kind", bound=Explanation)


def make_records(
    kind: type[Kind],
    task: Explained,
    chances: Tensor,
    values: Mapping[str, Tensor | Sequence[float]],
    seconds: Mapping[str, float],
    reasons: Sequence[str | None],
    histories: Mapping[str, Tensor] | None = None,
    tokens: Tokens | None = None,
) -> list[Kind | Failure]:
    """Cut the results of a batch into one record per sample.

    Args:
        kind: Class of the records.
        task: The S samples.
        chances: Probabilities of the unchanged inputs, (S, classes).
        values: Maps, (S, …) each, and numbers, by the name of their field in `kind`.
        seconds: Per stage, one sample's share.
        reasons: Per sample what went wrong, or None.
        histories: Loss histories, (steps, S) each.
        tokens: Of samples that are texts; their maps (S, T) are cut to the length of each.
    """
    chances = chances.cpu()
    values = {k: v.cpu() if isinstance(v, Tensor) else v for k, v in values.items()}
    losses = {name: history.cpu() for name, history in (histories or {}).items()}
    records: list[Kind | Failure] = []
    for i, (sample_id, reason) in enumerate(zip(task.ids, reasons, strict=True)):
        if reason is not None:
            records.append(Failure(sample_id, reason))
            continue
        prediction, target = int(chances[i].argmax()), task.losses.labels[i]
        own: dict[str, Any] = {k: _of_sample(of_all, tokens, i) for k, of_all in values.items()}
        records.append(
            kind(
                id=sample_id,
                target=target,
                prediction=prediction,
                target_probability=math.nan if target is None else chances[i, target].item(),
                prediction_probability=chances[i, prediction].item(),
                top=_top(chances[i]),
                picture=_picture(task.inputs[i]),
                losses={name: history[:, i] for name, history in losses.items()},
                seed=task.seed,
                seconds=dict(seconds),
                **own,
            )
        )
    return records


def _top(chances: Tensor) -> tuple[tuple[int, float], ...]:
    """Return class and probability of the largest of some probabilities (classes,)."""
    largest = chances.topk(min(MOST_PROBABLE, len(chances)))
    return tuple(zip(largest.indices.tolist(), largest.values.tolist(), strict=True))


def _picture(inputs: Tensor) -> Tensor | None:
    """Return an input (C, H, W) stretched to 0…255, (3, H, W), or None where it is no image."""
    if inputs.ndim != 3 or inputs.shape[0] not in (1, 3):
        return None
    low, high = inputs.amin(), inputs.amax()
    pixels = (inputs - low) / (high - low).clamp(min=1e-12) * 255
    return pixels.round().to(torch.uint8).cpu().expand(3, -1, -1)


def described(
    record: Kind, sample: Sample, class_names: Sequence[str] = (), merge: str = "mean"
) -> Kind:
    """Return a record that shows its sample, and calls classes by their names.

    Args:
        record: Of the sample.
        sample: Its picture is shown in place of the input, or its words are.
        class_names: By class index.
        merge: How the values of a word's pieces become one: 'mean' or 'max'.
    """
    known: dict[str, Any] = {"class_names": tuple(class_names)}
    if isinstance(sample, ImageSample):
        known["picture"] = sample.image
    elif isinstance(sample, TextSample):
        values = merge_pieces(record.input_mask, sample.words, merge).tolist()
        known["words"] = tuple(zip(sample.shown.words, values, strict=True))
        known["gaps"] = sample.shown.gaps
    return replace(record, **known)


def _of_sample(values: Tensor | Sequence[float], tokens: Tokens | None, i: int) -> Tensor | float:
    """Return one sample's map; of a text without padding, and 0 at tokens that are not scored."""
    if tokens is None or not isinstance(values, Tensor):
        return values[i]
    length = int(tokens.lengths[i])
    return values[i, :length] * tokens.scored[i, :length].to(values.device)


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
