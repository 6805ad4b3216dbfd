"""The three stages in turn, for the samples of one task."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.attribution.feature_iba import FeatureIBA
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.outcome import clocked, first_reasons, logit_failures, make_records
from input_iba.attribution.priors import Prior
from input_iba.attribution.task import AttributionTask
from input_iba.core.targets import probabilities
from input_iba.records import Attribution, Failure, FeatureStatistics


@dataclass(frozen=True)
class Stages:
    """FeatureIBA, prior and InputIBA; they can be run one by one, too.

    >>> from input_iba.attribution import Attributor, WGANPrior
    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 2))
    >>> attributor = Attributor(net, "0")
    >>> statistics = attributor.estimate([torch.randn(16, 1, 8, 8)])
    >>> task = attributor.task(torch.randn(2, 1, 8, 8), [0, 1])
    >>> feature = FeatureIBA(opt_steps=2).fit(task, statistics)
    >>> prior = WGANPrior(epochs=1, dataset_size=8, batch_size=4).fit(task, feature)
    >>> InputBottleneck(opt_steps=2).fit(task, prior.lambda_).lambda_.shape
    torch.Size([2, 1, 8, 8])

    Attributes:
        feature_iba: Settings of stage 1.
        prior: Stage 2.
        input_iba: Settings of stage 3.
        use_softmax: Whether the classes exclude each other.
    """

    feature_iba: FeatureIBA
    prior: Prior
    input_iba: InputBottleneck
    use_softmax: bool = True

    def run(
        self, task: AttributionTask, statistics: FeatureStatistics
    ) -> list[Attribution | Failure]:
        """Explain the samples of a task; one that fails in a stage never disturbs the others."""
        seconds: dict[str, float] = {}
        device = task.inputs.device
        reasons = logit_failures(task.logits)
        with clocked(seconds, "feature_iba", device):
            feature = self.feature_iba.fit(task, statistics)
        reasons = first_reasons(reasons, feature.failures)
        if all(reasons):
            return [Failure(i, reason or "") for i, reason in zip(task.ids, reasons, strict=True)]
        with clocked(seconds, "prior", device):
            prior = self.prior.fit(task, feature)
        reasons = first_reasons(reasons, prior.failures)
        with clocked(seconds, "input_iba", device):
            fitted = self.input_iba.fit(task, prior.lambda_)
        reasons = first_reasons(reasons, fitted.failures)
        histories = {
            "feature_iba/target": feature.target_loss,
            "feature_iba/information": feature.information_loss,
            **{f"prior/{part}": values for part, values in prior.losses.items()},
            "input_iba/target": fitted.target_loss,
            "input_iba/information": fitted.information_loss,
        }
        to_map = task.modality.to_map
        maps = {
            "input_mask": to_map(fitted.alpha.sigmoid()),
            "feature_mask": feature.saliency,
            "feature_capacity": task.modality.position_bits(feature.capacity),
            "prior_mask": to_map(prior.lambda_),
        }
        shares = {stage: value / len(task.ids) for stage, value in seconds.items()}
        chances = probabilities(task.logits, self.use_softmax)
        return make_records(
            *(Attribution, task, chances, maps, shares, reasons, histories), tokens=task.tokens
        )
