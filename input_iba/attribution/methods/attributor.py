"""Other methods under the interface of our own attributor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.base import BaseAttributor
from input_iba.attribution.methods.base import Method, Needs, check_explains
from input_iba.attribution.methods.simple import IBA
from input_iba.attribution.methods.task import MethodTask
from input_iba.attribution.outcome import clocked, first_reasons, logit_failures, make_records
from input_iba.core.classifier import Classifier
from input_iba.core.hooks import Wrapping, find_layer
from input_iba.core.outputs import Output
from input_iba.core.statistics import RunningStatistics
from input_iba.core.tokens import Behind
from input_iba.core.watched import WatchedClassifier
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality
from input_iba.records import Explanation, Failure, FeatureStatistics


class MethodAttributor(BaseAttributor[MethodTask, Explanation]):
    """Explain by another method what a classifier looked at.

    Maps are divided by their largest absolute value, which records keep as `peak`.

    Args:
        classifier: As of an `Attributor`, and so are all arguments that are not listed here.
        method: The method with its settings.
        background: Inputs of the estimation set, (n, C, H, W), where the method needs them.
        statistics: Of the method's layer, where it needs them.

    Raises:
        ConfigError: The method cannot explain this kind of input.
        MissingExtraError: A package that the method needs is not installed.
        LayerNotFoundError: The method names a layer that the classifier does not have.

    >>> from input_iba.attribution.methods import Rise
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> [found] = MethodAttributor(net, Rise(n_masks=10)).attribute(torch.randn(1, 1, 8, 8))
    >>> found.input_mask.shape
    torch.Size([8, 8])
    """

    def __init__(
        self,
        classifier: nn.Module,
        method: Method,
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
        super().__init__(
            classifier,
            use_softmax=use_softmax,
            statistics=statistics,
            modality=modality,
            device=device,
            internal_batch_size=internal_batch_size,
            class_names=class_names,
        )
        self.classifier = classifier
        self.method = method
        self.background = background
        self.layout = layout
        self._wrappings: dict[tuple[str, str], Wrapping] = {}
        check_explains(type(method), self.modality.kind)
        method.check(classifier)
        self._explainer = method.reader(classifier)
        how: dict[str, Any] = {"autocast": autocast, "output": output}
        if self._explainer is not None:
            self._explainer.to(self.device)
            watching = self._explainer.watching
            self._runner = watching(classifier, self.modality, layout, **how)
        else:
            kept = [find_layer(classifier, method.layer_name)] if method.layer_name else []
            self._runner = Classifier(classifier, run=self.modality.run, kept=kept, **how)

    @property
    def needs(self) -> Needs:
        """What the method asks of the estimation set."""
        return self.method.needs

    def estimate(self, batches: Iterable[Tensor], n_samples: int = 1000) -> None:
        """Take from batches of the estimation set what the method needs, and keep it."""
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

    def _look(
        self, runner: Classifier, values: Tensor, tokens: Behind
    ) -> tuple[Tensor, dict[str, Any]]:
        if not isinstance(runner, WatchedClassifier):
            return super()._look(runner, values, tokens)
        logits, features = runner.look(values, tokens)
        return logits, {"features": features, "explainer": self._explainer}

    def _task(self, **common: Any) -> MethodTask:
        return MethodTask(
            **common,
            layout=self.layout,
            wrappings=self._wrappings,
            background=self.background,
            statistics=self.statistics,
        )

    def _explain(self, task: MethodTask) -> list[Explanation | Failure]:
        seconds: dict[str, float] = {}
        with clocked(seconds, self.method.name, self.device):
            maps = self.method.explain(task)
        peaks = maps.flatten(1).abs().amax(1)
        reason = "the method's map is not finite on this input"
        bad = [None if finite else reason for finite in peaks.isfinite().tolist()]
        # A map without any heat stays what it is.
        peaks = torch.where(peaks > 0, peaks, 1.0)
        shares = maps / peaks.view(-1, *[1] * (maps.ndim - 1))
        reasons = first_reasons(logit_failures(task.logits), bad)
        values: dict[str, Tensor | Sequence[float]] = {"map": shares, "input_mask": shares}
        values["peak"] = peaks.tolist()
        return make_records(Explanation, task, values, seconds, reasons)

    def _iba(self, method: IBA) -> Attributor:
        return method.attributor(self._runner, self.modality, self.device, self.layout)
