"""What a config's classifier is trained on: pictures or movie reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from input_iba.datasets import IMDBDataset, PictureDataset, SampleDataset, build_dataset
from input_iba.datasets.pixels import load_pixels
from input_iba.datasets.texts import load_texts
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.engine.build import errors_name
from input_iba.engine.config import RunConfig
from input_iba.engine.logs import LOGGER
from input_iba.engine.progress import refresh_seconds
from input_iba.engine.vocabulary import check_vocabulary
from input_iba.errors import ConfigError, DataError
from input_iba.models.picture_training import LabelledPixels, PictureTrainer, PictureTraining
from input_iba.models.text_training import LabelledTexts, TextTrainer, TextTraining
from input_iba.models.training import Trainer, TrainingSettings, split

VALIDATION_SHARE = 0.05

MakeTrainer = Callable[[nn.Module, Any, torch.device, torch.dtype | None], Trainer[Any]]


@dataclass(frozen=True)
class TrainingData:
    """What to train on, and how.

    Attributes:
        noun: What a sample is called.
        train_set: The training set, of which a share is held out.
        test_set: The test set, or None where there is none but the training set.
        read: Reads a data set into memory.
        make_trainer: Makes a trainer of a classifier, data, device and number format.
        begin: Gives an untrained classifier what it is not trained from nothing for.
    """

    noun: str
    train_set: SampleDataset
    test_set: SampleDataset | None
    read: Callable[[SampleDataset], Any]
    make_trainer: MakeTrainer
    begin: Callable[[nn.Module], None] = lambda _: None

    def read_and_split(self, seed: int) -> tuple[Any, Any]:
        """Read the training set; return what is trained on, and what is held out."""
        return split(self.read(self.train_set), VALIDATION_SHARE, seed)


def training_settings(config: RunConfig, given: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings for a config's kind of data.

    Args:
        config: Says whether text or pictures are classified.
        given: Values that differ from the defaults, by name.

    Raises:
        ConfigError: A value is out of its range, or no setting for this kind of data.
    """
    kind = TextTraining if config.text_modality else PictureTraining
    known = {item.name for item in fields(kind)}
    for name, value in given.items():
        option = "--" + name.replace("_", "-")
        if name not in known:
            raise ConfigError(f"{option} has no effect on the training of '{config.path}'.")
        if name != "seed" and not value > 0:
            raise ConfigError(f"{option} must be positive, got {value}.")
    return kind(**given)


def training_data(
    config: RunConfig,
    settings: TrainingSettings,
    train_root: Path | None = None,
    test_root: Path | None = None,
) -> TrainingData:
    """Find the data sets of a config, for training.

    Args:
        config: Names the data sets.
        settings: As `training_settings` returns them.
        train_root: Folder of the training set in place of the config's.
        test_root: Folder of the test set in place of the config's.

    Raises:
        ConfigError: A data set is of another kind than the classifier.
        DataError: The data are not there, or have other classes than each other.
    """
    if isinstance(settings, TextTraining):
        return _reviews(config, settings, train_root, test_root)
    if isinstance(settings, PictureTraining):
        return _pictures(config, settings, train_root, test_root)
    raise TypeError(f"settings of an unknown kind: {settings!r}")


def _pictures(
    config: RunConfig, settings: PictureTraining, train_root: Path | None, test_root: Path | None
) -> TrainingData:
    train_cfg = _elsewhere(config.estimation_data, "img_root", train_root)
    test_cfg = _elsewhere(config.attribution_data, "img_root", test_root)
    with errors_name(config, "data.estimation"):
        train_set = build_dataset(train_cfg)
        if not isinstance(train_set, PictureDataset):
            raise ConfigError("This classifier is trained on pictures.")
    test_set = None
    if test_cfg.get("img_root") != train_cfg.get("img_root"):
        with errors_name(config, "data.attribution"):
            test_set = build_dataset(test_cfg)
            _check_classes(train_set, test_set)
    normalize = train_set.pipeline.normalize or (lambda pixels: pixels)

    def read(dataset: SampleDataset) -> LabelledPixels:
        assert isinstance(dataset, PictureDataset)
        with _bar(dataset, "picture") as bar:
            return LabelledPixels(*load_pixels(dataset, bar.update))

    def make_trainer(
        model: nn.Module, data: Any, device: torch.device, autocast: torch.dtype | None
    ) -> Trainer[Any]:
        return PictureTrainer(model, data, normalize, settings, device, autocast)

    return TrainingData("pictures", train_set, test_set, read, make_trainer)


def _reviews(
    config: RunConfig, settings: TextTraining, train_root: Path | None, test_root: Path | None
) -> TrainingData:
    """Take both classes of both splits, whichever of them the config explains."""
    whole = {"select_cls": None, "max_length": None}
    train_cfg = _elsewhere(config.estimation_data, "root", train_root)
    test_cfg = _elsewhere(config.attribution_data, "root", test_root)
    with errors_name(config, "data.estimation"):
        train_set = build_dataset({**train_cfg, **whole, "split": "train"})
        if not isinstance(train_set, IMDBDataset):
            raise ConfigError("This classifier is trained on movie reviews: 'IMDBDataset'.")
    with errors_name(config, "data.attribution"):
        test_set = build_dataset({**test_cfg, **whole, "split": "test"})
        _check_classes(train_set, test_set)

    def read(dataset: SampleDataset) -> LabelledTexts:
        with _bar(dataset, "review") as bar:
            return LabelledTexts(*load_texts(dataset, bar.update))

    def make_trainer(
        model: nn.Module, data: Any, device: torch.device, autocast: torch.dtype | None
    ) -> Trainer[Any]:
        return TextTrainer(model, data, settings, device, autocast)

    def begin(model: nn.Module) -> None:
        check_vocabulary(model, train_set)
        with errors_name(config, "data.estimation"):
            _begin_with_vectors(model, train_set, settings.seed)

    return TrainingData("reviews", train_set, test_set, read, make_trainer, begin)


def _begin_with_vectors(model: nn.Module, dataset: IMDBDataset, seed: int) -> None:
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


def _elsewhere(cfg: Mapping[str, Any], key: str, root: Path | None) -> dict[str, Any]:
    return {**cfg, key: str(root)} if root is not None else dict(cfg)


def _check_classes(train_set: SampleDataset, test_set: SampleDataset) -> None:
    if test_set.class_names != train_set.class_names:
        raise DataError(
            f"Training set and test set have other classes: {train_set.class_names} and "
            f"{test_set.class_names}. Give both the same class folders."
        )


def _bar(dataset: SampleDataset, unit: str) -> Any:
    return tqdm(total=len(dataset), desc=f"{unit}s", unit=unit, mininterval=refresh_seconds())
