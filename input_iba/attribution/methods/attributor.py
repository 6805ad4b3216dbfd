"""Baselines under the interface of our own attributor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.methods.base import Baseline, Needs, check_explains_text
from input_iba.attribution.methods.simple import IBA
from input_iba.attribution.methods.task import BaselineTask
from input_iba.attribution.outcome import (
    clocked,
    first_reasons,
    logit_failures,
    make_records,
)
from input_iba.attribution.task import check_on, checked_ids, entered, one_by_one
from input_iba.core.checked import Checked
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import check_explainable, device_of
from input_iba.core.fitting import rows_at_once
from input_iba.core.forward import prepared
from input_iba.core.hooks import Wrapping, find_layer
from input_iba.core.modes import with_gradients
from input_iba.core.optimise import Progress
from input_iba.core.outputs import Output, class_names_of
from input_iba.core.statistics import RunningStatistics
from input_iba.core.targets import probabilities, target_losses
from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality, TextModality, VisionModality
from input_iba.records import Explanation, Failure, FeatureStatistics, Targets


class BaselineAttributor:
    """Explain by another method what a classifier looked at.

    The classifier is borrowed: it is moved to `device`, and otherwise comes back from every call
    as it was.

    Args:
        classifier: Maps (B, C, H, W), or token ids (B, T), to logits (B, classes); one logit
            tells two classes apart.
        method: The method with its settings.
        use_softmax: Whether the classes exclude each other.
        modality: What kind of input the classifier takes; images by default.
        background: Inputs of the estimation set, (n, C, H, W), where the method needs them.
        statistics: Of the method's layer, where it needs them.
        device: Where to compute; None for where the classifier is.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        internal_batch_size: Most inputs that the classifier sees at once; None for as many as
            make up `PIXELS_AT_ONCE` pixels.
        layout: As for an `Attributor`, at the method's layer.
        output: Which part of what the classifier returns the logits are; as for an `Attributor`.
        class_names: By class index, for targets given by name; as for an `Attributor`.

    Raises:
        AttributionError: The classifier is scripted, quantised, or not whole.
        ConfigError: The method cannot explain this kind of input.
        MissingExtraError: A package that the method needs is not installed.
        LayerNotFoundError: The method names a layer that the classifier does not have.

    >>> from input_iba.attribution.methods import Rise
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> [found] = BaselineAttributor(net, Rise(n_masks=10)).attribute(torch.randn(1, 1, 8, 8))
    >>> found.input_mask.shape
    torch.Size([8, 8])
    """

    def __init__(
        self,
        classifier: nn.Module,
        method: Baseline,
        *,
        use_softmax: bool = True,
        modality: Modality | None = None,
        background: Tensor | None = None,
        statistics: FeatureStatistics | None = None,
        device: torch.device | str | None = None,
        autocast: torch.dtype | None = None,
        internal_batch_size: int | None = None,
        layout: Layout | None = None,
        output: Output | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        check_explainable(classifier)
        self.device = device_of(classifier) if device is None else torch.device(device)
        self.classifier = classifier.to(self.device)
        self.method = method
        self.use_softmax = use_softmax
        self.modality = modality or VisionModality()
        self.background = background
        self.statistics = statistics
        self.internal_batch_size = internal_batch_size
        self.layout = layout
        self.class_names = class_names_of(classifier) if class_names is None else class_names
        self._runner = Classifier(
            classifier, run=self.modality.run, autocast=autocast, output=output
        )
        self._checked: Checked | None = None
        self._wrappings: dict[tuple[str, str], Wrapping] = {}
        if isinstance(self.modality, TextModality):
            check_explains_text(type(method))
        method.check(classifier)
        self._tap = find_layer(classifier, method.layer_name) if method.layer_name else None

    @property
    def needs(self) -> Needs:
        """What the method asks of the estimation set."""
        return self.method.needs

    def estimate(self, batches: Iterable[Tensor], n_samples: int = 1000) -> None:
        """Take from the estimation set what the method needs, and keep it.

        Args:
            batches: Normalised inputs, (B, C, H, W) each, or token ids (B, T).
            n_samples: Samples after which to stop, for statistics.
        """
        if isinstance(self.method, IBA):
            self.statistics = self._iba(self.method).estimate(batches, n_samples)
        elif self.needs == "background":
            count = getattr(self.method, "n_background", n_samples)
            self.background = torch.stack(list(islice((x for b in batches for x in b), count)))

    @contextmanager
    def estimating(self, example: Tensor) -> Iterator[Callable[[Tensor], RunningStatistics]]:
        """Lend a function from a batch of inputs to the layer's statistics over it."""
        if not isinstance(self.method, IBA):
            raise AttributionError(f"Method {self.method.name!r} needs no statistics.")
        with self._iba(self.method).estimating(example) as statistics_of:
            yield statistics_of

    @with_gradients()
    def attribute(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        internal_batch_size: int | None = None,
    ) -> list[Explanation | Failure]:
        """Explain S samples; the arguments are those of `Attributor.attribute`.

        Returns:
            One record per sample, in order, with the map divided by its largest absolute value;
            a `Failure` where a sample could not be explained.

        Raises:
            AttributionError: The method does not fit the classifier, or lacks what it needs.
            ConfigError: Targets or ids do not fit the inputs.
        """
        if len(inputs) == 0:
            return []
        names = checked_ids(ids, len(inputs))
        if self._checked is None:
            self._checked = check_on(self._runner, self.modality, self.device, inputs[:1])
        rows = internal_batch_size or self.internal_batch_size
        if self._checked.alone and len(inputs) > 1:
            return one_by_one(
                *(self.modality, inputs, targets, names),
                partial(self.attribute, seed=seed, progress=progress, internal_batch_size=rows),
            )
        seconds: dict[str, float] = {}
        values, tokens = entered(self.modality, self._runner.model, inputs.to(self.device))
        with self._borrowed(values[:1], None if tokens is None else tokens.select([0])):
            with torch.no_grad():
                logits = self._runner.logits(values, tokens)
            task = BaselineTask(
                runner=self._runner,
                modality=self.modality,
                inputs=values,
                tokens=tokens,
                logits=logits,
                losses=target_losses(targets, logits, self.use_softmax, self.class_names),
                ids=names,
                seed=seed,
                use_softmax=self.use_softmax,
                rows=rows or rows_at_once(inputs.shape[1:], self.device),
                layout=self.layout,
                wrappings=self._wrappings,
                background=self.background,
                statistics=self.statistics,
                progress=progress,
            )
            with clocked(seconds, self.method.name, self.device):
                maps = self.method.explain(task)
        shares = {stage: value / len(names) for stage, value in seconds.items()}
        return _records(task, maps, shares)

    @contextmanager
    def _borrowed(self, example: Tensor, tokens: Tokens | None) -> Iterator[None]:
        """Freeze the classifier and make it cheaper to run, and restore it afterwards."""
        exact = copy(self._runner)
        exact.autocast = None
        model, autocast = self._runner.model, self._runner.autocast
        with prepared(model, autocast, lambda: exact.logits(example, tokens), tap=self._tap):
            yield

    def _iba(self, method: IBA) -> Attributor:
        return method.attributor(self._runner, self.modality, self.device, self.layout)


def _records(
    task: BaselineTask, maps: Tensor, seconds: Mapping[str, float]
) -> list[Explanation | Failure]:
    """Make one record per sample of maps (S, …) in the method's own units."""
    peaks = maps.flatten(1).abs().amax(1)
    bad = [
        None if math.isfinite(peak) else "the method's map is not finite on this input"
        for peak in peaks.tolist()
    ]
    # A map without any heat stays what it is.
    peaks = torch.where(peaks > 0, peaks, 1.0)
    return make_records(
        Explanation,
        task,
        probabilities(task.logits, task.use_softmax),
        {"input_mask": maps / peaks.view(-1, *[1] * (maps.ndim - 1)), "peak": peaks.tolist()},
        seconds,
        first_reasons(logit_failures(task.logits), bad),
        tokens=task.tokens,
    )
