"""From a checked config to objects: classifier, data sets, attributor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from input_iba import datasets, models
from input_iba.attribution import Attributor
from input_iba.attribution.methods import MethodAttributor
from input_iba.config.load import RunConfig
from input_iba.config.sections import Plain
from input_iba.core.statistics import RunningStatistics
from input_iba.core.targets import Target
from input_iba.datasets import SampleDataset
from input_iba.errors import CheckpointError, ConfigError, DataError
from input_iba.records import Explanation, Failure, FeatureStatistics, Targets
from input_iba.registry import PRIORS, build


class Explainer(Protocol):
    """What a run needs of an attributor."""

    statistics: FeatureStatistics | None
    class_names: Sequence[str]

    def estimating(
        self, example: Tensor
    ) -> AbstractContextManager[Callable[[Tensor], RunningStatistics]]:
        """Lend a function from a batch of inputs to the feature statistics over it."""

    def attribute(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Callable[..., None] | None = None,
        internal_batch_size: int | None = None,
    ) -> Sequence[Explanation | Failure]:
        """Explain a batch."""


MakeExplainer = Callable[[RunConfig, nn.Module, torch.device, torch.dtype | None], Explainer]


def build_classifier(config: RunConfig) -> nn.Module:
    """Build and load the classifier, in eval mode; see `models.build_classifier`."""
    with errors_name(config, "attributor.classifier"):
        classifier: nn.Module = models.build_classifier(config.classifier)
    check_finite(classifier)
    return classifier.eval()


def check_finite(classifier: nn.Module) -> None:
    """Raise a `CheckpointError` for weights with which every output would be NaN."""
    for name, values in chain(classifier.named_parameters(), classifier.named_buffers()):
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            count = int((~torch.isfinite(values)).sum())
            raise CheckpointError(
                f"The classifier's weights hold NaN or infinity: {count} of {values.numel()} "
                f"values of '{name}'. Train again, or give another checkpoint as 'pretrained'."
            )


def build_datasets(
    config: RunConfig, classifier: nn.Module | None = None
) -> tuple[SampleDataset, SampleDataset]:
    """Build the estimation set and the data set to explain, texts read as the classifier does.

    Raises:
        ConfigError: A type or key is unknown.
        DataError: A folder or file is missing or empty.
    """

    def built(section: str, data: Plain, question: Target | None = None) -> SampleDataset:
        with errors_name(config, section):
            dataset: SampleDataset = datasets.build_dataset(data)
            if classifier is None:
                return dataset
            return config.kind.readable(classifier, dataset, question)

    estimation_set = built("data.estimation", config.estimation_data)
    return estimation_set, built("data.attribution", config.attribution_data, config.question)


@contextmanager
def errors_name(config: RunConfig, section: str) -> Iterator[None]:
    """Add to errors of the block which section of which file they are about."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(f"{error} [section '{section}' of '{config.path}']") from error


def build_attributor(
    config: RunConfig, classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
) -> Attributor | MethodAttributor:
    """Build the three stages as the config sets them, or the other method that it asks for."""
    if config.baseline is None:
        return build_own_method(config, classifier, device, autocast)
    how = _shared(config, classifier, device, autocast)
    return MethodAttributor(classifier, config.baseline, **how)


def build_own_method(
    config: RunConfig, classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
) -> Attributor:
    """Build the three stages as the config sets them.

    Raises:
        ConfigError: The layer or the prior does not exist.
    """
    return Attributor(
        classifier,
        config.layer,
        feature_iba=config.feature_iba,
        prior=build(PRIORS, config.prior),
        input_iba=config.input_iba,
        reading=config.reading,
        **_shared(config, classifier, device, autocast),
    )


def _shared(
    config: RunConfig, classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
) -> dict[str, Any]:
    """Return what all attributors are told of classifier and device."""
    return {
        "use_softmax": config.use_softmax,
        "modality": config.kind.modality(classifier),
        "device": device,
        "autocast": autocast,
        "internal_batch_size": config.internal_batch_size,
        "layout": config.layout,
        "output": config.output,
    }
