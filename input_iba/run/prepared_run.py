"""Classifier and data sets of a run, built from a config and checked before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from input_iba.config.build import build_classifier, build_datasets, classifier_digest
from input_iba.config.load import RunConfig
from input_iba.datasets import SampleDataset
from input_iba.run.classes import read_logits
from input_iba.run.shell import Run


@dataclass(frozen=True)
class PreparedRun:
    """What a run explains or scores.

    Attributes:
        config: With what the classifier itself decides.
        classifier: In eval mode.
        estimation_set: Where statistics come from.
        dataset: The samples, with the classifier's class indices and names.
        digest: Hash of the classifier's weights.
    """

    config: RunConfig
    classifier: nn.Module
    estimation_set: SampleDataset
    dataset: SampleDataset
    digest: str

    def fingerprints(self) -> dict[str, str]:
        """Return hashes of the classifier's weights and of the samples, by the manifest's keys."""
        return {"classifier": self.digest, "data": self.dataset.fingerprint()}


def prepare(
    config: RunConfig, run: Run, check: Callable[[nn.Module], object] = lambda _: None
) -> PreparedRun:
    """Build classifier and data sets; the first process logs what is noteworthy.

    Args:
        config: Names them.
        run: What it computes on.
        check: Refuses a classifier before data are read.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what.
    """
    classifier = build_classifier(config).to(run.device)
    check(classifier)
    digest = classifier_digest(classifier)
    estimation_set, dataset = build_datasets(config, classifier)
    reading = read_logits(config, classifier, dataset)
    if run.processes.is_main:
        reading.say()
    return PreparedRun(reading.config, classifier, estimation_set, reading.dataset, digest)
