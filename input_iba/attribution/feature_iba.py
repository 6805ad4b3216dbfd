"""Stage 1: a bottleneck at a layer finds which features the target needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from input_iba.attribution.task import AttributionTask
from input_iba.core.bottleneck import Bottleneck, BottleneckSettings
from input_iba.core.information import feature_capacity
from input_iba.core.optimise import FittedMask
from input_iba.core.suffix import ResumedClassifier
from input_iba.errors import ConfigError
from input_iba.records import FeatureStatistics
from input_iba.settings import setting


@dataclass(frozen=True, kw_only=True)
class FittedFeatures(FittedMask):
    """The mask that stage 1 has learned on the features of S samples.

    Attributes:
        features: Layer output R of the unchanged inputs, (S, C', h, w); of text (S, T, D).
        mean: Noise mean μ, (C', h, w); of text (D,).
        std: Noise deviation s, floored, of the same shape.
        active: 1 where the element is active, else 0, of the same shape.
        saliency: Bits per pixel at input resolution, (S, H, W); of text bits per token, (S, T).
    """

    features: Tensor
    mean: Tensor
    std: Tensor
    active: Tensor
    saliency: Tensor

    def select(self, indices: Sequence[int]) -> FittedFeatures:
        """Return the bottlenecks of some of the samples."""
        rows = list(indices)
        by_sample = ("features", "alpha", "lambda_", "capacity", "gain", "half", "saliency")
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in by_sample},
            target_loss=self.target_loss[:, rows],
            information_loss=self.information_loss[:, rows],
            failures=tuple(self.failures[i] for i in rows),
        )


@dataclass(frozen=True)
class FeatureIBA(BottleneckSettings):
    """Settings of the feature bottleneck, beside those of `BottleneckSettings`.

    References:
        Schulz et al. 2020 (arXiv 2001.00396), per-sample bottleneck; docs/METHOD.md, section 2.
    """

    PLACE = "feat_iba."

    input_or_output: str = setting(
        "output",
        "side of the layer at which it sits",
        choices=("input", "output"),
        part="attributor",
    )
    active_neurons_threshold: float = setting(
        0.01,
        "elements that are non-zero in at most this share of the estimation set are set to 0",
        part="attributor",
    )
    relu: bool = setting(
        False, "cut the noisy features at 0, for layers that follow a ReLU", part="attributor"
    )
    reverse_lambda: bool = setting(
        False, "find instead the least noise that destroys the prediction", part="attributor"
    )
    combine_loss: bool = setting(
        False,
        "both at once: the signal keeps the prediction, its complement loses it",
        part="attributor",
    )
    min_std: float = setting(0.01, "floor of the noise deviation", above=0)

    def fit(self, task: AttributionTask, statistics: FeatureStatistics) -> FittedFeatures:
        """Learn a mask on the features of every sample, given the statistics of the tapped layer.

        Raises:
            ConfigError: The statistics are of another shape than the layer's output.
            AttributionError: The layer has no map-shaped output or is not called exactly once.
        """
        with task.classifier.frozen():
            features = task.classifier.features(task.inputs, task.tokens).detach()
        task.modality.check_features(features, task.inputs, task.classifier.layer)
        expected = task.modality.observations(features, task.tokens).shape[1:]
        if expected != statistics.mean.shape:
            raise ConfigError(
                f"Layer {task.classifier.layer!r} puts out {tuple(expected)} for these "
                f"inputs, but the statistics are of shape {tuple(statistics.mean.shape)}. Estimate "
                "them on inputs of the same size as those to explain."
            )
        statistics = statistics.to(features.device, features.dtype)
        mean, std = statistics.mean, statistics.std.clamp_min(self.min_std)
        active = (statistics.nonzero > self.active_neurons_threshold).to(features.dtype)
        with task.classifier.frozen():
            bottleneck = self._bottleneck(task, features, mean, std, active)
            fitted = task.fit(bottleneck, self, stage="FeatureIBA", noise="feature_iba")
        return FittedFeatures(
            **vars(fitted),
            features=features,
            mean=mean,
            std=std,
            active=active,
            saliency=task.modality.saliency(fitted.capacity, task.inputs),
        )

    def _bottleneck(
        self, task: AttributionTask, features: Tensor, mean: Tensor, std: Tensor, active: Tensor
    ) -> Bottleneck:
        def noisy(lambda_: Tensor, samples: slice, eps: Tensor) -> Tensor:
            # As (S, 1, …), so that the K draws cost one operation: centre + spread · ε.
            centre = (lambda_ * features[samples, None] + (1 - lambda_) * mean) * active
            spread = (1 - lambda_) * std * active
            z = (spread * eps).add_(centre)
            z = z.clamp_min(0) if self.relu else z
            return task.masked_only(z, features, samples)

        two = task.tokens.select(slice(2))
        resumed = ResumedClassifier(task.classifier, task.inputs[:2], two)

        def logits(samples: slice, z: Tensor) -> Tensor:
            return task.in_rows(partial(resumed.logits, task.inputs[samples]), z, samples)

        keeps, loses = (1.0, False), (-1.0, True)
        both = (keeps, loses) if self.combine_loss else (keeps,)
        return Bottleneck(
            signal=features,
            mask=lambda alpha: task.modality.smooth(alpha.sigmoid(), self.sigma),
            noisy=noisy,
            logits=logits,
            capacity=lambda lambda_: feature_capacity(features, lambda_, mean, std) * active,
            counted=task.tokens.counted,
            terms=(loses,) if self.reverse_lambda else both,
        )
