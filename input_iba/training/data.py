"""What a config's classifier is trained on: images, or texts of both splits and all classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba.config.build import errors_name
from input_iba.config.load import RunConfig
from input_iba.datasets import (
    ImageDataset,
    PieceDataset,
    SampleDataset,
    TextDataset,
    TorchvisionSet,
    build_dataset,
)
from input_iba.datasets.ids import draw_ids
from input_iba.datasets.images import load_pixels
from input_iba.datasets.text_dataset import load_texts
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.errors import ConfigError, DataError
from input_iba.registry import DATASETS, lookup
from input_iba.run.shell import LOGGER, Run
from input_iba.training.classifier import ClassifierTrainer, Labelled
from input_iba.training.images import ImageTrainer
from input_iba.training.loop import progress_bar
from input_iba.training.settings import (
    ImageTraining,
    TextTraining,
    TrainingOptions,
    TrainingSettings,
)
from input_iba.training.texts import (
    HeadedEncoder,
    HeadTrainer,
    TextTrainer,
    TransformerTrainer,
    encode,
)

VALIDATION_SHARE = 0.05
"""Share of the training set that is held out."""

SOURCES = ("img_root", "dataset", "split", "seed")
"""Keys of data sets of images that say which samples these are."""


@dataclass(frozen=True)
class TrainingData:
    """What to train on, and how.

    Attributes:
        noun: What samples are called.
        test_set: None where there is none but the training set.
        read: Reads as many samples of a data set as a number says, 0 for all, drawn by a seed.
        trainer: Makes a trainer, given all that a `ClassifierTrainer` is, by name.
    """

    noun: str
    train_set: SampleDataset
    test_set: SampleDataset | None
    read: Callable[[Any, int, int], Labelled]
    trainer: Callable[..., ClassifierTrainer]


def training_settings(config: RunConfig, given: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings for a config's kind of data, with values that differ from the defaults.

    Raises:
        ConfigError: A value is out of its range, or no setting for this kind of data.
    """
    kind = TextTraining if config.kind.name == "texts" else ImageTraining
    known = {item.name for item in fields(kind)}
    for name in given:
        if name not in known:
            option = "--" + name.replace("_", "-")
            raise ConfigError(f"{option} has no effect on the training of '{config.path}'.")
    return kind(**given)


def training_data(
    config: RunConfig,
    settings: TrainingSettings,
    options: TrainingOptions,
    model: nn.Module,
    run: Run,
) -> TrainingData:
    """Find the data sets of a config, for training.

    A model with a vocabulary gets its word vectors.

    Raises:
        ConfigError: A data set is of another kind than the classifier.
        DataError: The data are not there, or have other classes than each other.
    """
    if isinstance(settings, TextTraining):
        return _texts(config, settings, options, model, run)
    assert isinstance(settings, ImageTraining)
    train_cfg = _elsewhere(config.estimation_data, "img_root", options.train_root)
    test_cfg = _elsewhere(config.attribution_data, "img_root", options.test_root)
    with errors_name(config, "data.estimation"):
        train_set = build_dataset(train_cfg)
        if not isinstance(train_set, ImageDataset):
            raise ConfigError("This classifier is trained on images.")
    test_set = None
    if _others(train_cfg, test_cfg):
        with errors_name(config, "data.attribution"):
            test_set = build_dataset(test_cfg)
            check_classes(train_set, test_set)
    prepare = train_set.pipeline.normalize or nn.Identity()
    trainer = partial(ImageTrainer, prepare=prepare, movable=train_set.movable)
    return TrainingData("images", train_set, test_set, read_images, trainer)


def _others(train_cfg: Mapping[str, Any], test_cfg: Mapping[str, Any]) -> bool:
    """Return whether data sets are from different folders, or drawn or split in other ways."""
    return any(train_cfg.get(key) != test_cfg.get(key) for key in SOURCES)


def _texts(
    config: RunConfig, settings: TextTraining, options: TrainingOptions, model: nn.Module, run: Run
) -> TrainingData:
    """Take all classes of both splits, whichever of them the config explains."""
    train_cfg = _whole(config.estimation_data, "train", options.train_root)
    test_cfg = _whole(config.attribution_data, "test", options.test_root)
    with errors_name(config, "data.estimation"):
        texts = _text_dataset(train_cfg)
        texts.max_length = settings.max_length or texts.max_length
    test_texts = None
    if test_cfg != train_cfg:
        with errors_name(config, "data.attribution"):
            test_texts = _text_dataset(test_cfg)
            check_classes(texts, test_texts)
    with errors_name(config, "data.estimation"):
        train_set = config.kind.readable(model, texts)
        if isinstance(train_set, PieceDataset):
            test_set = test_texts and config.kind.readable(model, test_texts)
            return _pieces(model, run, train_set, test_set)
        # A trainer cuts what is trained on; what is tested on stays whole.
        for dataset in (texts, test_texts):
            if dataset is not None:
                dataset.max_length = None
        _begin_with_vectors(model, texts, settings.seed)
    return TrainingData("texts", texts, test_texts, read_texts, TextTrainer)


def _pieces(
    model: nn.Module, run: Run, train_set: SampleDataset, test_set: SampleDataset | None
) -> TrainingData:
    """Train a transformer: all of it, or its head on features that are kept in memory."""
    if not (isinstance(model, HeadedEncoder) and model.frozen):
        return TrainingData("texts", train_set, test_set, read_texts, TransformerTrainer)

    def read(dataset: SampleDataset, count: int, seed: int) -> Labelled:
        texts = read_texts(dataset, count, seed)
        with progress_bar(len(texts.targets), "features") as bar:
            return encode(model, texts, run.autocast, bar.update)

    return TrainingData("texts", train_set, test_set, read, HeadTrainer)


def _elsewhere(cfg: Mapping[str, Any], key: str, root: Path | None) -> dict[str, Any]:
    """Return the config of a data set, in another folder unless `root` is None."""
    return {**cfg, key: str(root)} if root is not None else dict(cfg)


def _whole(cfg: Mapping[str, Any], split: str, root: Path | None) -> dict[str, Any]:
    """Return the config of a data set with all of its classes, and the split where it has any."""
    moved = _elsewhere(cfg, "file" if "file" in cfg else "root", root)
    known = inspect.signature(lookup(DATASETS, str(cfg.get("type")))).parameters
    wanted = {"select_cls": None, "split": split}
    return {**moved, **{key: value for key, value in wanted.items() if key in known}}


def _text_dataset(cfg: Mapping[str, Any]) -> TextDataset:
    dataset = build_dataset(cfg)
    if not isinstance(dataset, TextDataset):
        raise ConfigError(
            "This classifier is trained on texts: 'IMDBDataset', 'TextFolder' or 'TextTable'."
        )
    return dataset


def check_classes(train_set: SampleDataset, test_set: SampleDataset) -> None:
    """Raise DataError if a test set has other classes than the training set."""
    if test_set.class_names != train_set.class_names:
        raise DataError(
            f"Training set and test set have other classes: {train_set.class_names} and "
            f"{test_set.class_names}. Give both the same class folders."
        )


def _begin_with_vectors(model: nn.Module, dataset: TextDataset, seed: int) -> None:
    """Copy word vectors into a classifier's embedding."""
    embedding = getattr(model, "embedding", None)
    if dataset.vector_cache is None or not isinstance(embedding, nn.Embedding):
        LOGGER.warning("Training begins without word vectors; set data.estimation.vector_cache.")
        return
    size = embedding.embedding_dim
    vectors = load_word_vectors(dataset.vocabulary, dataset.vector_cache, size, seed)
    with torch.no_grad():
        embedding.weight.copy_(vectors.values)
    LOGGER.info(
        "'%s' has vectors of %d of %d words", vectors.path, vectors.known, len(dataset.vocabulary)
    )


def read_images(dataset: ImageDataset, count: int, seed: int) -> Labelled:
    """Read as many images into memory, drawn at random; 0 for all."""
    indices = _drawn(dataset, count, seed)
    if isinstance(dataset, TorchvisionSet) and not dataset.pipeline.config:
        samples = Labelled(*dataset.all_pixels())
        return samples if len(indices) == len(dataset) else samples.take(torch.tensor(indices))
    with progress_bar(len(indices), "images") as bar:
        return Labelled(*load_pixels(dataset, bar.update, indices))


def read_texts(dataset: SampleDataset, count: int, seed: int) -> Labelled:
    """Read as many texts into memory, drawn at random; 0 for all."""
    indices = _drawn(dataset, count, seed)
    with progress_bar(len(indices), "texts") as bar:
        return Labelled(*load_texts(dataset, bar.update, indices))


def _drawn(dataset: SampleDataset, count: int, seed: int) -> Sequence[int]:
    if count == 0:
        return range(len(dataset))
    chosen = set(draw_ids(dataset.ids, count, seed))
    return [i for i, id_ in enumerate(dataset.ids) if id_ in chosen]
