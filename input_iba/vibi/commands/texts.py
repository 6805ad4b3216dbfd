"""What a run of VIBI on texts needs: reviews, the classifier that reads them, and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from input_iba import models
from input_iba.config.texts import check_vocabulary
from input_iba.datasets import IMDBDataset, build_dataset
from input_iba.datasets.text_dataset import load_texts
from input_iba.errors import ConfigError
from input_iba.run.logs import LOGGER
from input_iba.training.classifier import split
from input_iba.training.sets import VALIDATION_SHARE, bar, drawn
from input_iba.training.texts import LabelledTexts
from input_iba.vibi import Vibi
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.prepared import Prepared
from input_iba.vibi.commands.text_pages import write_texts
from input_iba.vibi.text_black_box import ExplainedTexts, TextBlackBox, explained_texts
from input_iba.vibi.text_chunks import TextChunks, ends_in
from input_iba.vibi.text_networks import TextApproximator, TextExplainer


@dataclass(frozen=True)
class TextParts:
    """What texts are explained with, whichever texts they are.

    Attributes:
        vibi: Explainer and approximator, untrained.
        black_box: What they explain.
        words: The vocabulary, by index.
        dataset: The training set, unread.
        weights: File with the black box's weights.
    """

    vibi: Vibi
    black_box: TextBlackBox
    words: Sequence[str]
    dataset: IMDBDataset
    weights: str


def build_text_parts(
    config: VibiConfig,
    device: torch.device,
    autocast: torch.dtype | None,
    weights: Path | str = "",
) -> TextParts:
    """Build explainer and approximator, and load their black box.

    Args:
        config: The setting.
        device: Where to compute.
        autocast: Number format of all networks' layers, or None for float32.
        weights: File with the black box's weights; empty for the one that the config names.

    Raises:
        ConfigError: The config names no weights, or no classifier of these words.
        CheckpointError: The weights are not there, or do not fit.
        DataError: The reviews are not there.
    """
    dataset = reviews(config, "train")
    words = dataset.vocabulary.words
    classifier, file = _classifier(config, str(weights))
    check_vocabulary(classifier, dataset)
    chunks = TextChunks(config.texts.chunks, config.texts.max_length, ends_in(words))
    black_box = TextBlackBox(classifier.to(device), chunks, autocast)
    example = black_box.prepare(torch.zeros(1, 1, dtype=torch.int64, device=device))
    with torch.no_grad():
        classes = black_box.log_probabilities(example).shape[1]
    dim = example.shape[2] - 1
    vibi = Vibi(
        TextExplainer(dim, config.explainer.width or 100),
        TextApproximator(classes, dim, config.approximator.width or 200),
        *(chunks, config.explainer.k, autocast),
    )
    return TextParts(vibi.to(device), black_box, words, dataset, file)


def reviews(config: VibiConfig, which: str) -> IMDBDataset:
    """Return the reviews of a split, 'train' or 'test', of both classes."""
    dataset = build_dataset(
        {
            "type": "IMDBDataset",
            "root": config.data.root,
            "split": which,
            "select_cls": None,
            "max_length": config.texts.max_length,
        }
    )
    assert isinstance(dataset, IMDBDataset)
    return dataset


def _classifier(config: VibiConfig, weights: str) -> tuple[nn.Module, str]:
    cfg = dict(config.black_box.classifier)
    found = weights or config.black_box.checkpoint or cfg.get("pretrained") or ""
    if not found:
        raise ConfigError(
            "The black box of texts is not trained here: set black_box.classifier.pretrained to "
            "its checkpoint. `input-iba train nlp deep_lstm` trains one."
        )
    return models.build_classifier({**cfg, "pretrained": found}).eval(), str(found)


def prepare_texts(
    config: VibiConfig, device: torch.device, autocast: torch.dtype | None, seed: int
) -> Prepared:
    """Read the reviews, ask the black box about them, and build explainer and approximator.

    Raises:
        ConfigError: Something in the config does not fit.
        CheckpointError: The black box's weights are not there, or do not fit.
        DataError: The reviews are not there.
    """
    torch.manual_seed(seed)
    parts = build_text_parts(config, device, autocast)
    read = _read(parts.dataset, config.data.num_train, seed)
    train, validation = split(read, VALIDATION_SHARE, seed)
    test_set = reviews(config, "test")
    test = _read(test_set, config.data.num_test, seed)
    explained = [_explained(parts.black_box, texts, device) for texts in (train, validation, test)]
    accuracy = float((explained[2].log_probabilities.argmax(1) == test.targets).float().mean())
    LOGGER.info("Black box '%s': accuracy %.2f %% on the test set", parts.weights, 100 * accuracy)
    class_names = list(parts.dataset.class_names or [])
    return Prepared(
        vibi=parts.vibi,
        black_box=parts.black_box,
        train=explained[0],
        validation=explained[1],
        test=explained[2],
        class_names=class_names,
        input_shape=tuple(parts.black_box.prepare(read.ids[0][None].to(device)).shape[1:]),
        accuracy=accuracy,
        checkpoint=parts.weights,
        fingerprints=(parts.dataset.fingerprint(), test_set.fingerprint()),
        draw=partial(write_texts, words=parts.words, class_names=class_names),
    )


def _read(dataset: IMDBDataset, count: int, seed: int) -> LabelledTexts:
    indices = drawn(dataset, count, seed)
    with bar(len(indices), "reviews") as progress:
        return LabelledTexts(*load_texts(dataset, progress.update, indices))


def _explained(
    black_box: TextBlackBox, texts: LabelledTexts, device: torch.device
) -> ExplainedTexts:
    with bar(len(texts.ids), "texts read by the black box") as progress:
        return explained_texts(black_box, texts.ids, device, progress.update)
