"""Classifier and data sets of a run, checked before anything is written.

The classes of the data set are matched with the logits of the classifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from input_iba.config.build import build_classifier, build_datasets
from input_iba.config.load import RunConfig
from input_iba.core.classifier import Classifier
from input_iba.core.hooks import find_layer
from input_iba.core.outputs import class_names_of, classifier_digest, is_multi_label, matched
from input_iba.datasets import Relabelled, SampleDataset
from input_iba.datasets.class_index import imagenet_classes
from input_iba.datasets.loading import read_batches
from input_iba.errors import ConfigError, closest
from input_iba.records import Sample
from input_iba.run.shell import LOGGER, Run

KEY = "attributor.classes"
MAX_SHOWN = 8  # classes that a message lists


@dataclass(frozen=True)
class PreparedRun:
    """What a run explains or scores.

    Attributes:
        config: With what the classifier itself decides.
        classifier: In eval mode; `digest` is the hash of its weights.
        dataset: The samples, with the classifier's class indices and names.
    """

    config: RunConfig
    classifier: nn.Module
    estimation_set: SampleDataset
    dataset: SampleDataset
    digest: str

    def fingerprints(self) -> dict[str, str]:
        """Return hashes of the classifier's weights and of the samples, by the manifest's keys."""
        return {"classifier": self.digest, "data": self.dataset.fingerprint()}


def prepare(config: RunConfig, run: Run, *, explained: bool = False) -> PreparedRun:
    """Build classifier and data sets; the first process logs what is noteworthy.

    A classifier that is to be explained is refused before data are read, where its layer is absent.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what.
    """
    classifier = build_classifier(config).to(run.device)
    if explained and config.baseline is not None:
        config.baseline.check(classifier)
    elif explained:
        find_layer(classifier, config.layer)
    estimation_set, dataset = build_datasets(config, classifier)
    reading = read_logits(config, classifier, dataset)
    if run.processes.is_main:
        for note in reading.notes:
            LOGGER.info("%s", note)
        for warning in reading.warnings:
            LOGGER.warning("%s", warning)
    digest = classifier_digest(classifier)
    return PreparedRun(reading.config, classifier, estimation_set, reading.dataset, digest)


@dataclass(frozen=True)
class Reading:
    """How the logits of a classifier are read.

    Attributes:
        config: With `use_softmax` as the classifier asks for it.
        dataset: With the classifier's class indices and names.
        notes: What was found, for the log.
        warnings: What the user should change.
    """

    config: RunConfig
    dataset: SampleDataset
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def read_logits(config: RunConfig, classifier: nn.Module, dataset: SampleDataset) -> Reading:
    """Return how the logits of a classifier in eval mode and a data set's classes fit together.

    The config names the classes that are not found by their names, in `attributor.classes`.

    Raises:
        ConfigError: The classifier names its logits otherwise than the data set its classes.
    """
    given, notes = "use_softmax" in config.raw["attributor"], tuple[str, ...]()
    if not given and config.use_softmax and is_multi_label(classifier):
        config = replace(config, use_softmax=False)
        notes = (
            "The classifier's classes do not exclude each other (problem_type="
            "'multi_label_classification'): use_softmax=False is taken.",
        )
    reading = _with_classes(config, classifier, class_names_of(classifier), dataset)
    return replace(reading, notes=(*reading.notes, *notes))


def _with_classes(
    config: RunConfig, classifier: nn.Module, labels: Sequence[str], dataset: SampleDataset
) -> Reading:
    known = dataset.class_names
    if known is None or (dataset.indices_given and not config.classes):
        if config.classes and known is None:
            raise ConfigError(f"'{KEY}' of '{config.path}' has no effect: no sample has a class.")
        return Reading(config, dataset)
    count = len(labels) or _count_logits(config, classifier, dataset)
    if count is None:  # the run itself says what is wrong
        if not config.classes:
            return Reading(config, dataset)
        asked = [index for index in config.classes.values() if isinstance(index, int)]
        count = max([len(known), *(index + 1 for index in asked)])
    return _Matching(config, dataset, known, labels, count).reading()


@dataclass(frozen=True)
class _Matching:
    """The classes of a data set, `known`, and the logits of a classifier, which may have labels."""

    config: RunConfig
    dataset: SampleDataset
    known: Sequence[str]
    labels: Sequence[str]
    count: int

    def reading(self) -> Reading:
        """Return the data set with the indices that were found, and say what was."""
        counted = self.dataset.indices_given or (not self.labels and self.count == len(self.known))
        found, shown = self._found(counted)
        # By position where classes are counted: two of ImageNet's are called 'crane'.
        indices = [found.get(n, i if counted else None) for i, n in enumerate(self.known)]
        names = list(shown) or self._names_by_index(indices)
        if indices == list(range(len(self.known))) and names == list(self.known):
            return Reading(self.config, self.dataset)
        notes, warnings = list[str](), list[str]()
        pairs = zip(self.known, indices, strict=True)
        if told := [f"{name} is {i} ({names[i]})" for name, i in pairs if i is not None]:
            notes.append(f"Classes of the data set among the classifier's logits: {_some(told)}.")
        if unmatched := [name for name in self.known if not counted and name not in found]:
            warnings.append(
                f"The data set has {len(self.known)} classes ({_some(self.known)}), the classifier "
                f"{self.count}, and which is which is not known: samples of {_some(unmatched)} are "
                f"explained for the class that the classifier predicts. {self._remedy()}"
            )
        dataset = Relabelled(self.dataset, indices, names)
        return Reading(self.config, dataset, tuple(notes), tuple(warnings))

    def _found(self, counted: bool) -> tuple[dict[str, int | None], Sequence[str]]:
        """Return the logits that are known, by the data set's class, and the logits' names."""
        found = self._asked()
        rest = [name for name in self.known if name not in found]
        if self.labels and not counted:
            found |= matched(rest, self.labels)
            if unmatched := [name for name in rest if name not in found]:
                numbered = [f"{index} {label!r}" for index, label in enumerate(self.labels)]
                raise ConfigError(
                    f"Which logit is {_some(unmatched)} cannot be told from its name: the data set "
                    f"has the classes {_some(self.known)}, the classifier {_some(numbered)}. "
                    f"{self._remedy()} ['{self.config.path}']"
                )
        elif not counted and (of_imagenet := _imagenet(rest, self.count)):
            return found | of_imagenet, imagenet_classes().names
        return found, self.labels

    def _asked(self) -> dict[str, int | None]:
        """Return the logits that the config gives, by the data set's class."""
        found: dict[str, int | None] = {}
        where, last = f"'{KEY}' of '{self.config.path}'", self.count - 1
        for name, value in self.config.classes.items():
            if name not in self.known:
                raise ConfigError(
                    f"{where} names {name!r}, which is not a class of the data set."
                    f"{closest(name, self.known)} Its classes: {_some(self.known)}."
                )
            index = matched([value], self.labels).get(value) if isinstance(value, str) else value
            if isinstance(value, str) and index is None:
                has = f"labels {_some(self.labels)}" if self.labels else "no names for its logits"
                raise ConfigError(
                    f"{where} gives {value!r} for {name!r}, but the classifier has {has}. Give "
                    f"the index of a logit, 0 to {last}."
                )
            if index is not None and not 0 <= index <= last:
                raise ConfigError(
                    f"{where} gives logit {index} for {name!r}; the classifier has logits 0 to "
                    f"{last}."
                )
            found[name] = index
        return found

    def _remedy(self) -> str:
        example = {self.known[0]: 0, self.known[-1]: self.count - 1}
        return (
            f"Say which logit is which class in the config, e.g. {KEY}={example}; None stands for "
            "the predicted class."
        )

    def _names_by_index(self, indices: Sequence[int | None]) -> list[str]:
        """Return names of all logits; those that are not a class of the data set are numbered."""
        last = max([self.count - 1, *(index for index in indices if index is not None)])
        names = [f"class {index}" for index in range(last + 1)]
        for name, index in zip(self.known, indices, strict=True):
            if index is not None:
                names[index] = name
        return names


def _imagenet(names: Sequence[str], count: int) -> dict[str, int]:
    """Return the index of classes that are all ImageNet's, by WordNet id or name; else nothing."""
    classes = imagenet_classes()
    for labels in (classes.ids, classes.names) if count == len(classes.names) else ():
        found = matched(names, labels)
        if len(found) == len(names):
            return found
    return {}


@torch.no_grad()
def _count_logits(config: RunConfig, classifier: nn.Module, dataset: SampleDataset) -> int | None:
    """Return how many classes a classifier tells apart, or None where no sample shows it."""
    modality = config.kind.modality(classifier)
    runner = Classifier(classifier, run=modality.run, output=config.output)
    device = next(classifier.parameters(), torch.zeros(1)).device
    for [sample] in read_batches(dataset, [[i] for i in range(len(dataset))]):
        if not isinstance(sample, Sample):
            continue
        try:
            values, tokens = modality.enter(runner.model, sample.input[None].to(device))
            # One logit tells two classes apart by its sign.
            return max(runner.logits(values, tokens).shape[1], 2)
        # A classifier of the user's own may raise anything; the run names it for each sample.
        except Exception:
            return None
    return None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(names[:MAX_SHOWN]) + more
