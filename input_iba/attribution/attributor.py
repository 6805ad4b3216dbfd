"""The pipeline: feature statistics, FeatureIBA, prior, InputIBA, for a batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from input_iba.attribution.feature_iba import FeatureIBA
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.priors import Prior, WGANPrior
from input_iba.attribution.stages import Stages
from input_iba.attribution.task import (
    AttributionTask,
    check_on,
    checked_ids,
    entered,
    one_by_one,
)
from input_iba.core.checked import Checked, Entered
from input_iba.core.explainable import check_explainable, device_of
from input_iba.core.fitting import rows_at_once
from input_iba.core.modes import with_gradients
from input_iba.core.optimise import Progress
from input_iba.core.outputs import Output, class_names_of
from input_iba.core.statistics import RunningStatistics
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import target_losses
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality, VisionModality
from input_iba.records import Attribution, Failure, FeatureStatistics, Targets


class Attributor:
    """Explain what a classifier looked at.

    The classifier is borrowed: moved to `device`, if any, and otherwise given back by every call
    as it was. It is checked on the first input: what is wrong is refused, what is odd logged.

    Args:
        classifier: Maps (B, C, H, W), or token ids (B, T), to logits; one tells two classes apart.
        layer: Name of the layer of the feature bottleneck.
        feature_iba: Settings of stage 1.
        prior: Stage 2.
        input_iba: Settings of stage 3.
        use_softmax: Whether the classes exclude each other.
        statistics: Of the layer, when they are known already.
        modality: What kind of input the classifier takes; images by default.
        device: Where to compute; None for where the classifier is.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        internal_batch_size: Most rows that the classifier sees at once; it changes no mask.
        layout: How features lie where that cannot be found out; see `modality.layouts.layout_of`.
        output: Which part of what the classifier returns the logits are; see `select_logits`.
        class_names: By class index; None for those of the classifier's own `config.id2label`.

    Raises:
        LayerNotFoundError: The classifier has no such layer.
        AttributionError: The classifier is scripted, quantised, or not whole.

    >>> _ = torch.manual_seed(0)
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
    >>> short = WGANPrior(epochs=1, dataset_size=8, batch_size=4)
    >>> attributor = Attributor(net, "1", prior=short, input_iba=InputBottleneck(opt_steps=2))
    >>> _ = attributor.estimate([torch.randn(16, 1, 8, 8)])
    >>> [result] = attributor.attribute(torch.randn(1, 1, 8, 8), [1])
    >>> result.input_mask.shape
    torch.Size([8, 8])
    """

    def __init__(
        self,
        classifier: nn.Module,
        layer: str,
        *,
        feature_iba: FeatureIBA | None = None,
        prior: Prior | None = None,
        input_iba: InputBottleneck | None = None,
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
        check_explainable(classifier)
        self.device = device_of(classifier) if device is None else torch.device(device)
        self.feature_iba = feature_iba or FeatureIBA()
        self.prior = prior or WGANPrior()
        self.input_iba = input_iba or InputBottleneck()
        self.use_softmax = use_softmax
        self.statistics = statistics
        self.modality = modality or VisionModality()
        self.internal_batch_size = internal_batch_size
        self.class_names = class_names_of(classifier) if class_names is None else class_names
        side = self.feature_iba.input_or_output
        self.classifier = TappedClassifier(
            classifier.to(self.device),
            layer,
            side=side,
            autocast=autocast,
            wrapping=self.modality.wrapping(classifier, layer, side, layout),
            run=self.modality.run,
            output=output,
        )
        self._checked: Checked | None = None

    def estimate(self, batches: Iterable[Tensor], n_samples: int = 1000) -> FeatureStatistics:
        """Estimate and keep the layer's statistics.

        Args:
            batches: Normalised inputs, (B, C, H, W) each, or token ids (B, T).
            n_samples: Samples after which to stop; whole batches are cut to it.

        Raises:
            AttributionError: Fewer than two samples, features of changing shape, or NaN in them.
        """
        running, left = RunningStatistics(), n_samples
        with ExitStack() as stack:
            for batch in batches:
                if running.count == 0:
                    statistics_of = stack.enter_context(self.estimating(batch[:1]))
                running.merge(statistics_of(batch[:left]))
                left -= len(batch)
                if left <= 0:
                    break
        self.statistics = running.result()
        return self.statistics

    @contextmanager
    def estimating(self, example: Tensor) -> Iterator[Callable[[Tensor], RunningStatistics]]:
        """Lend a function from one batch (B, C, H, W) to the layer's statistics over it.

        Whoever merges them, with those of other processes too, sets `statistics` to the result.

        Args:
            example: An input, (1, C, H, W), on which to check what makes the classifier cheaper;
                processes give the same one, so that all decide alike.
        """
        with with_gradients(), torch.no_grad():
            alone = self._check(example).alone
            with self.classifier.prepared(*self._enter(example)):
                yield lambda batch: self._statistics_of(
                    self.modality.one_by_one(batch) if alone else [batch]
                )

    def _statistics_of(self, parts: Iterable[Tensor]) -> RunningStatistics:
        running = RunningStatistics()
        for part in parts:
            inputs, tokens = self._enter(part)
            features = self.classifier.features(inputs, tokens)
            self.modality.check_features(features, self.classifier.layer)
            running.update(self.modality.observations(features, tokens))
        return running

    def _enter(self, inputs: Tensor) -> Entered:
        return entered(self.modality, self.classifier.model, inputs.to(self.device))

    def _check(self, inputs: Tensor) -> Checked:
        """Check the classifier on the first of some inputs, once."""
        if self._checked is None:
            self._checked = check_on(self.classifier, self.modality, self.device, inputs[:1])
        return self._checked

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
    ) -> list[Attribution | Failure]:
        """Explain S samples.

        Args:
            inputs: Normalised inputs, (S, C, H, W), or token ids (S, T).
            targets: What to explain; None for the predicted classes. See `target_losses`.
            ids: Ids of the samples, which with the seed decide the random numbers; by default
                their positions.
            seed: Seed of the run.
            progress: Told about every step of every stage.
            internal_batch_size: Instead of the attributor's own, for this call.

        Returns:
            One record per sample, in order; a `Failure` where a sample could not be explained.

        Raises:
            AttributionError: `estimate` has not been called, or the layer cannot be explained.
            ConfigError: Targets, ids or statistics do not fit the inputs.
        """
        if self.statistics is None:
            raise AttributionError(
                "The layer's statistics are not known: call estimate(batches), or give statistics=."
            )
        if len(inputs) == 0:
            return []
        names = checked_ids(ids, len(inputs))
        if self._check(inputs).alone and len(inputs) > 1:
            return one_by_one(
                *(self.modality, inputs, targets, names),
                partial(
                    self.attribute,
                    seed=seed,
                    progress=progress,
                    internal_batch_size=internal_batch_size,
                ),
            )
        stages = Stages(self.feature_iba, self.prior, self.input_iba, self.use_softmax)
        with self.classifier.prepared(*self._enter(inputs[:1])):
            task = self.task(inputs, targets, names, seed, progress, internal_batch_size)
            return stages.run(task, self.statistics)

    @with_gradients()
    def task(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        internal_batch_size: int | None = None,
    ) -> AttributionTask:
        """Prepare samples for running the stages one by one: the arguments of `attribute`."""
        names = checked_ids(ids, len(inputs))
        self._check(inputs)
        values, tokens = self._enter(inputs)
        with torch.no_grad(), self.classifier.frozen():
            logits = self.classifier.logits(values, tokens)
        return AttributionTask(
            classifier=self.classifier,
            modality=self.modality,
            inputs=values,
            tokens=tokens,
            logits=logits,
            losses=target_losses(targets, logits, self.use_softmax, self.class_names),
            ids=names,
            seed=seed,
            internal_batch_size=internal_batch_size
            or self.internal_batch_size
            or rows_at_once(inputs.shape[1:], self.device),
            progress=progress,
        )
