"""What a config's classifier is trained on: pictures or movie reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from input_iba.config.build import errors_name
from input_iba.config.load import RunConfig
from input_iba.datasets import ImageDataset, SampleDataset, build_dataset
from input_iba.datasets.images import load_pixels
from input_iba.errors import ConfigError
from input_iba.training.classifier import Trainer, TrainingSettings
from input_iba.training.images import LabelledPixels, PictureTrainer, PictureTraining
from input_iba.training.reviews import training_reviews
from input_iba.training.sets import (
    Learner,
    TrainingData,
    TrainingOptions,
    bar,
    check_classes,
    elsewhere,
)
from input_iba.training.texts import TextTraining


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
    config: RunConfig, settings: TrainingSettings, options: TrainingOptions, learner: Learner
) -> TrainingData:
    """Find the data sets of a config, for training.

    Args:
        config: Names the data sets.
        settings: As `training_settings` returns them.
        options: Say which folders and how much of them.
        learner: What is to be trained; gets what it is not trained from nothing for.

    Raises:
        ConfigError: A data set is of another kind than the classifier.
        DataError: The data are not there, or have other classes than each other.
    """
    if isinstance(settings, TextTraining):
        return training_reviews(config, settings, options, learner)
    if isinstance(settings, PictureTraining):
        return _training_pictures(config, settings, options, learner)
    raise TypeError(f"settings of an unknown kind: {settings!r}")


def _training_pictures(
    config: RunConfig, settings: PictureTraining, options: TrainingOptions, learner: Learner
) -> TrainingData:
    train_cfg = elsewhere(config.estimation_data, "img_root", options.train_root)
    test_cfg = elsewhere(config.attribution_data, "img_root", options.test_root)
    with errors_name(config, "data.estimation"):
        train_set = build_dataset(train_cfg)
        if not isinstance(train_set, ImageDataset):
            raise ConfigError("This classifier is trained on pictures.")
    test_set = None
    if test_cfg.get("img_root") != train_cfg.get("img_root"):
        with errors_name(config, "data.attribution"):
            test_set = build_dataset(test_cfg)
            check_classes(train_set, test_set)
    normalize = train_set.pipeline.normalize or (lambda pixels: pixels)

    def read(dataset: SampleDataset, indices: Sequence[int]) -> LabelledPixels:
        assert isinstance(dataset, ImageDataset)
        with bar(len(indices), "pictures") as progress:
            return LabelledPixels(*load_pixels(dataset, progress.update, indices))

    def make_trainer(data: LabelledPixels) -> Trainer[Any]:
        model, device, autocast = learner.model, learner.device, learner.autocast
        return PictureTrainer(model, data, normalize, settings, device, autocast)

    return TrainingData("pictures", train_set, test_set, read, make_trainer)
