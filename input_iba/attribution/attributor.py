"""The pipeline: feature statistics, FeatureIBA, prior, InputIBA, for a batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.base import BaseAttributor
from input_iba.attribution.believe import check
from input_iba.attribution.feature_iba import FeatureIBA
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.outcome import clocked, first_reasons, logit_failures, make_records
from input_iba.attribution.priors import Prior, WGANPrior
from input_iba.attribution.reading import Reading
from input_iba.attribution.start import OfClassifier, Predicted, Start
from input_iba.attribution.task import AttributionTask
from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.modes import with_gradients
from input_iba.core.outputs import Output
from input_iba.core.statistics import RunningStatistics
from input_iba.core.tap import TappedClassifier
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality
from input_iba.records import Attribution, Failure, FeatureStatistics


class Attributor(BaseAttributor[AttributionTask, Attribution]):
    """Explain what a classifier looked at, by its features at a layer.

    The stages can be run one by one, too, on what `task` returns.

    Args:
        classifier: As of `BaseAttributor`, and so are those that are not listed here.
        layer: Name of the layer of the feature bottleneck.
        feature_iba: Settings of stage 1.
        prior: Stage 2.
        input_iba: Settings of stage 3.
        reading: How the results of the stages are read as one map.
        start: Predicts where the mask of stage 3 starts; None for where `input_iba` says.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        layout: How features lie where that cannot be found out; see `modality.layouts.layout_of`.
        output: Which part of what the classifier returns the logits are; see `select_logits`.

    Raises:
        LayerNotFoundError: The classifier has no such layer.
        AttributionError: The classifier is scripted, quantised, or not whole.

    >>> _ = torch.manual_seed(0)
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> short = WGANPrior(epochs=1, dataset_size=8, batch_size=4)
    >>> attributor = Attributor(net, "1", prior=short, input_iba=InputBottleneck(opt_steps=2))
    >>> statistics = attributor.estimate([torch.randn(16, 1, 8, 8)])
    >>> [result] = attributor.attribute(torch.randn(1, 1, 8, 8), [1])
    >>> result.map.shape
    torch.Size([8, 8])
    >>> task = attributor.task(torch.randn(2, 1, 8, 8), [0, 1])
    >>> prior = short.fit(task, FeatureIBA(opt_steps=2).fit(task, statistics))
    >>> InputBottleneck(opt_steps=2).fit(task, prior.lambda_).lambda_.shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(
        self,
        classifier: nn.Module,
        layer: str,
        *,
        feature_iba: FeatureIBA | None = None,
        prior: Prior | None = None,
        input_iba: InputBottleneck | None = None,
        reading: Reading | None = None,
        start: Start | None = None,
        use_softmax: bool = True,
        statistics: FeatureStatistics | None = None,
        modality: Modality | None = None,
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
        self.feature_iba = feature_iba or FeatureIBA()
        self.prior = prior or WGANPrior()
        self.input_iba = input_iba or InputBottleneck()
        self.reading = reading or Reading()
        kept: Sequence[nn.Module] = ()
        if isinstance(start, OfClassifier):
            start.check(classifier)
            kept = start.reads(classifier)
        self.start = start
        side = self.feature_iba.input_or_output
        self.classifier = self._runner = TappedClassifier(
            classifier,
            layer,
            side=side,
            autocast=autocast,
            wrapping=self.modality.wrapping(classifier, layer, side, layout),
            run=self.modality.run,
            output=output,
            kept=kept,
        )

    def estimate(
        self, batches: Iterable[Tensor], n_samples: int = 1000, additional_forward_args: Any = None
    ) -> FeatureStatistics:
        """Estimate and keep the layer's statistics over `n_samples` inputs.

        Batches are normalised inputs, (B, C, H, W), or token ids (B, T). Behind them the classifier
        is called with `additional_forward_args`, whose tensors have a row for each of all inputs.

        Raises:
            AttributionError: Fewer than two samples, features of changing shape, or NaN in them.
        """
        running, left = RunningStatistics(), n_samples
        beside = Arguments.of(additional_forward_args, self.device)
        with ExitStack() as stack:
            for batch in batches:
                first = n_samples - left
                if first == 0:
                    entered = self.estimating(batch[:1], beside.select(slice(1)))
                    statistics_of = stack.enter_context(entered)
                part = batch[:left]
                running.merge(statistics_of(part, beside.select(slice(first, first + len(part)))))
                left -= len(batch)
                if left <= 0:
                    break
        self.statistics = running.result()
        return self.statistics

    @contextmanager
    def estimating(
        self, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> Iterator[Callable[..., RunningStatistics]]:
        """Lend a function from one batch (B, C, H, W) to the layer's statistics over it.

        It takes the batch, and what stands beside it if anything does.

        Whoever merges them, with those of other processes too, sets `statistics` to the result. On
        one input, (1, C, H, W), is checked what makes the classifier cheaper; processes give the
        same one, so that all decide alike.
        """
        with with_gradients(), torch.no_grad():
            alone = self._check(example, beside).alone
            with self._readable.prepared(*self._enter(example, beside)):
                yield partial(self._statistics_of, alone)

    def _statistics_of(
        self, alone: bool, batch: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> RunningStatistics:
        running = RunningStatistics()
        for part in self.modality.one_by_one(batch) if alone else [batch]:
            inputs, tokens = self._enter(part, beside)
            features = self.classifier.features(inputs, tokens)
            self.modality.check_features(features, inputs, self.classifier.layer)
            running.update(self.modality.observations(features, tokens))
        return running

    def _check_ready(self) -> None:
        if self.statistics is None:
            raise AttributionError(
                "The layer's statistics are not known: call estimate(batches), or give statistics=."
            )

    def _task(self, **common: Any) -> AttributionTask:
        return AttributionTask(**common)

    def _explain(self, task: AttributionTask) -> list[Attribution | Failure]:
        assert self.statistics is not None  # checked before anything is computed
        seconds: dict[str, float] = {}
        device = task.inputs.device
        reasons = logit_failures(task.logits)
        with clocked(seconds, "feature_iba", device):
            feature = self.feature_iba.fit(task, self.statistics)
        reasons = first_reasons(reasons, feature.failures)
        if all(reasons):
            return [Failure(i, reason or "") for i, reason in zip(task.ids, reasons, strict=True)]
        with clocked(seconds, "prior", device):
            prior = self.prior.fit(task, feature)
        reasons = first_reasons(reasons, prior.failures)
        with clocked(seconds, "input_iba", device):
            begun = Predicted.by(self.start, task) if self.start else None
            fitted = self.input_iba.fit(task, prior.lambda_, begun.alpha if begun else None)
        reasons = first_reasons(reasons, begun.failures) if begun else reasons
        reasons = first_reasons(reasons, fitted.failures)
        histories = {
            "feature_iba/target": feature.target_loss,
            "feature_iba/information": feature.information_loss,
            **{f"prior/{part}": values for part, values in prior.losses.items()},
            "input_iba/target": fitted.target_loss,
            "input_iba/information": fitted.information_loss,
        }
        to_map = task.modality.to_map
        values: dict[str, Any] = {
            "map": self.reading.read(task, feature, fitted),
            "input_mask": to_map(fitted.alpha.sigmoid()),
            "feature_mask": feature.saliency,
            "feature_capacity": task.modality.position_bits(feature.capacity),
            "prior_mask": to_map(prior.lambda_),
        }
        with clocked(seconds, "checks", device):
            values["checks"] = check(task, self.input_iba, values["map"], feature, fitted)
        return make_records(Attribution, task, values, seconds, reasons, histories)
