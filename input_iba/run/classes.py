"""Which logit is which class: the classes of a data set matched with the logits of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from input_iba.config.class_labels import is_multi_label, match
from input_iba.config.load import RunConfig
from input_iba.config.texts import build_modality
from input_iba.core.classifier import Classifier
from input_iba.core.outputs import class_names_of
from input_iba.datasets import Relabelled, SampleDataset
from input_iba.datasets.class_index import imagenet_classes
from input_iba.datasets.loading import read_batches
from input_iba.errors import ConfigError, closest
from input_iba.records import Sample
from input_iba.run.logs import LOGGER

KEY = "attributor.classes"
MAX_SHOWN = 8
"""Classes that a message lists."""


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

    def say(self) -> None:
        """Log notes and warnings."""
        for note in self.notes:
            LOGGER.info("%s", note)
        for warning in self.warnings:
            LOGGER.warning("%s", warning)


def read_logits(config: RunConfig, classifier: nn.Module, dataset: SampleDataset) -> Reading:
    """Bring a data set's classes and a classifier's logits together.

    Args:
        config: Names the classes that are not found by their names, in `attributor.classes`.
        classifier: In eval mode.
        dataset: What is explained.

    Raises:
        ConfigError: The classifier names its logits otherwise than the data set its classes.
    """
    reading = _with_classes(config, classifier, dataset)
    if not is_multi_label(classifier) or not config.use_softmax:
        return reading
    if "use_softmax" in config.raw["attributor"]:
        return reading
    note = (
        "The classifier's classes do not exclude each other (problem_type="
        "'multi_label_classification'): use_softmax=False is taken."
    )
    return replace(reading, config=replace(config, use_softmax=False), notes=(*reading.notes, note))


def _with_classes(config: RunConfig, classifier: nn.Module, dataset: SampleDataset) -> Reading:
    known = dataset.class_names
    if known is None or (dataset.indices_given and not config.classes):
        if config.classes and known is None:
            raise ConfigError(f"'{KEY}' of '{config.path}' has no effect: no sample has a class.")
        return Reading(config, dataset)
    labels = class_names_of(classifier)
    count = len(labels) or _count_logits(config, classifier, dataset)
    if count is None:  # the run itself says what is wrong
        if not config.classes:
            return Reading(config, dataset)
        asked = [index for index in config.classes.values() if isinstance(index, int)]
        count = max([len(known), *(index + 1 for index in asked)])
    found: dict[str, int | None] = {**_asked(config, known, labels, count)}
    rest = [name for name in known if name not in found]
    shown = labels
    counted = dataset.indices_given or (not labels and count == len(known))
    if labels and not counted:
        found |= match(rest, labels)
        _refuse_unmatched(config, [name for name in rest if name not in found], known, labels)
    elif not counted and (of_imagenet := _imagenet(rest, count)):
        found |= of_imagenet
        shown = tuple(imagenet_classes().names)
    # By position where classes are counted: two of ImageNet's are called 'crane'.
    indices = [found.get(name, index if counted else None) for index, name in enumerate(known)]
    unmatched = [] if counted else [name for name in known if name not in found]
    return _reading(config, dataset, indices, shown, count, unmatched)


def _reading(
    config: RunConfig,
    dataset: SampleDataset,
    indices: Sequence[int | None],
    shown: Sequence[str],
    count: int,
    unmatched: Sequence[str],
) -> Reading:
    """Return the data set with the indices that were found, and say what was."""
    known = list(dataset.class_names or [])
    names = list(shown) or _names_by_index(known, indices, count)
    if list(indices) == list(range(len(known))) and names == known:
        return Reading(config, dataset)
    notes, warnings = list[str](), list[str]()
    pairs = [
        f"{name} is {i} ({names[i]})"
        for name, i in zip(known, indices, strict=True)
        if i is not None
    ]
    if pairs:
        notes.append(f"Classes of the data set among the classifier's logits: {_some(pairs)}.")
    if unmatched:
        warnings.append(
            f"The data set has {len(known)} classes ({_some(known)}), the classifier {count}, and "
            f"which is which is not known: samples of {_some(unmatched)} are explained for the "
            f"class that the classifier predicts. {_remedy(known, count)}"
        )
    return Reading(config, Relabelled(dataset, indices, names), tuple(notes), tuple(warnings))


def _asked(
    config: RunConfig, known: Sequence[str], labels: Sequence[str], count: int
) -> dict[str, int | None]:
    """Return the logits that the config gives, by the data set's class.

    Raises:
        ConfigError: A class, label or logit does not exist.
    """
    found: dict[str, int | None] = {}
    for name, value in config.classes.items():
        where = f"'{KEY}' of '{config.path}'"
        if name not in known:
            raise ConfigError(
                f"{where} names {name!r}, which is not a class of the data set."
                f"{closest(name, known)} Its classes: {_some(known)}."
            )
        if isinstance(value, str):
            meant = match([value], labels)
            if not meant:
                has = f"labels {_some(labels)}" if labels else "no names for its logits"
                raise ConfigError(
                    f"{where} gives {value!r} for {name!r}, but the classifier has {has}. Give "
                    f"the index of a logit, 0 to {count - 1}."
                )
            found[name] = meant[value]
        elif value is not None and not 0 <= value < count:
            raise ConfigError(
                f"{where} gives logit {value} for {name!r}; the classifier has logits 0 to "
                f"{count - 1}."
            )
        else:
            found[name] = value
    return found


def _refuse_unmatched(
    config: RunConfig, unmatched: Sequence[str], known: Sequence[str], labels: Sequence[str]
) -> None:
    if unmatched:
        numbered = [f"{index} {label!r}" for index, label in enumerate(labels)]
        raise ConfigError(
            f"Which logit is {_some(unmatched)} cannot be told from its name: the data set has the "
            f"classes {_some(known)}, the classifier {_some(numbered)}. "
            f"{_remedy(known, len(labels))} ['{config.path}']"
        )


def _remedy(known: Sequence[str], count: int) -> str:
    example = {known[0]: 0, known[-1]: count - 1}
    return (
        f"Say which logit is which class in the config, e.g. {KEY}={example}; None stands for the "
        "predicted class."
    )


def _imagenet(names: Sequence[str], count: int) -> dict[str, int]:
    """Return the index of classes that are all ImageNet's, by WordNet id or name; else nothing."""
    classes = imagenet_classes()
    if count != len(classes.names):
        return {}
    for labels in (classes.ids, classes.names):
        found = match(names, labels)
        if len(found) == len(names):
            return found
    return {}


def _names_by_index(known: Sequence[str], indices: Sequence[int | None], count: int) -> list[str]:
    """Return names of all logits, of those that are no class of the data set their number."""
    last = max([count - 1, *(index for index in indices if index is not None)])
    names = [f"class {index}" for index in range(last + 1)]
    for name, index in zip(known, indices, strict=True):
        if index is not None:
            names[index] = name
    return names


@torch.no_grad()
def _count_logits(config: RunConfig, classifier: nn.Module, dataset: SampleDataset) -> int | None:
    """Return how many classes a classifier tells apart, or None where no sample shows it."""
    modality = build_modality(config, classifier)
    runner = Classifier(classifier, run=modality.run, output=config.output)
    device = next(classifier.parameters(), torch.zeros(1)).device
    for [sample] in read_batches(dataset, [[i] for i in range(len(dataset))]):
        if not isinstance(sample, Sample):
            continue
        try:
            with torch.no_grad():
                values, tokens = modality.enter(runner.model, sample.input[None].to(device))
                logits = runner.logits(values, tokens)
        # A classifier of the user's own may raise anything; the run names it for each sample.
        except Exception:
            return None
        # One logit tells two classes apart by its sign.
        return max(logits.shape[1], 2)
    return None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(names[:MAX_SHOWN]) + more
