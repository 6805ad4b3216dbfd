"""Texts as training data: of recurrent classifiers, transformers, and heads on them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba.config.build import errors_name
from input_iba.config.load import RunConfig
from input_iba.config.texts import readable_by
from input_iba.datasets import PieceDataset, SampleDataset, TextDataset, build_dataset
from input_iba.datasets.text_dataset import load_texts
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.errors import ConfigError
from input_iba.registry import DATASETS, lookup
from input_iba.run.logs import LOGGER
from input_iba.training.classifier import Trainer
from input_iba.training.sets import (
    Learner,
    TrainingData,
    TrainingOptions,
    bar,
    check_classes,
    elsewhere,
)
from input_iba.training.texts import LabelledTexts, TextTrainer, TextTraining
from input_iba.training.transformers import (
    HeadedEncoder,
    HeadTrainer,
    TransformerTrainer,
    encode,
)


def training_reviews(
    config: RunConfig, settings: TextTraining, options: TrainingOptions, learner: Learner
) -> TrainingData:
    """Take all classes of both splits, whichever of them the config explains.

    A classifier with a vocabulary gets its word vectors; the texts of one with a tokenizer are cut
    into word pieces.

    Raises:
        ConfigError: The data sets hold no texts, or other words than the classifier knows.
        DataError: Texts or word vectors are not there.
    """
    train_cfg = _whole(config.estimation_data, "train", options.train_root)
    test_cfg = _whole(config.attribution_data, "test", options.test_root)
    with errors_name(config, "data.estimation"):
        reviews = _texts(train_cfg)
        reviews.max_length = settings.max_length or reviews.max_length
    test_reviews = None
    if test_cfg != train_cfg:
        with errors_name(config, "data.attribution"):
            test_reviews = _texts(test_cfg)
            check_classes(reviews, test_reviews)
    with errors_name(config, "data.estimation"):
        train_set = readable_by(learner.model, reviews)
        if isinstance(train_set, PieceDataset):
            test_set = test_reviews and readable_by(learner.model, test_reviews)
            return _pieces(settings, learner, train_set, test_set)
        # A trainer cuts what is trained on; what is tested on stays whole.
        for dataset in (reviews, test_reviews):
            if dataset is not None:
                dataset.max_length = None
        _begin_with_vectors(learner.model, reviews, settings.seed)

    def make_trainer(data: LabelledTexts) -> Trainer[Any]:
        return TextTrainer(learner.model, data, settings, learner.device, learner.autocast)

    return TrainingData("texts", reviews, test_reviews, _read, make_trainer)


def _whole(cfg: Mapping[str, Any], split: str, place: Path | None) -> dict[str, Any]:
    """Return the config of a data set with all of its classes, and the split where it has any."""
    moved = elsewhere(cfg, "file" if "file" in cfg else "root", place)
    known = inspect.signature(lookup(DATASETS, str(cfg.get("type")))).parameters
    wanted = {"select_cls": None, "split": split}
    return {**moved, **{key: value for key, value in wanted.items() if key in known}}


def _texts(cfg: Mapping[str, Any]) -> TextDataset:
    dataset = build_dataset(cfg)
    if not isinstance(dataset, TextDataset):
        raise ConfigError(
            "This classifier is trained on texts: 'IMDBDataset', 'TextFolder' or 'TextTable'."
        )
    return dataset


def _pieces(
    settings: TextTraining,
    learner: Learner,
    train_set: SampleDataset,
    test_set: SampleDataset | None,
) -> TrainingData:
    """Train a transformer: all of it, or its head on features that are kept in memory."""
    model, device, autocast = learner.model, learner.device, learner.autocast
    head_alone = isinstance(model, HeadedEncoder) and model.frozen

    def read(dataset: SampleDataset, indices: Sequence[int]) -> Any:
        texts = _read(dataset, indices)
        if not head_alone:
            return texts
        with bar(len(texts.targets), "features") as progress:
            return encode(model, texts, autocast, progress.update)

    def make_trainer(data: Any) -> Trainer[Any]:
        kind = HeadTrainer if head_alone else TransformerTrainer
        made: Trainer[Any] = kind(model, data, settings, device, autocast)
        return made

    return TrainingData("texts", train_set, test_set, read, make_trainer)


def _read(dataset: SampleDataset, indices: Sequence[int]) -> LabelledTexts:
    with bar(len(indices), "texts") as progress:
        return LabelledTexts(*load_texts(dataset, progress.update, indices))


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
