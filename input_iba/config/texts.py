"""What the run of a config for text needs: tokens that the classifier reads, and their modality."""

from __future__ import annotations

import logging
from typing import Any

from torch import nn

from input_iba.config.load import RunConfig
from input_iba.core.tokens import PAD_INDEX
from input_iba.datasets import PieceDataset, SampleDataset, TextDataset
from input_iba.errors import ConfigError
from input_iba.modality import Modality, TextModality, VisionModality
from input_iba.modality.text_inputs import modality_of, most_tokens, padded
from input_iba.models import load_tokenizer

LOGGER = logging.getLogger(__name__)


def build_modality(config: RunConfig, classifier: nn.Module) -> Modality:
    """Return what kind of input a config's classifier takes.

    Raises:
        ConfigError: Its tokenizer has no token that could pad texts.
    """
    return text_modality(classifier) if config.text_modality else VisionModality()


def text_modality(classifier: nn.Module) -> TextModality:
    """Return how a classifier of text takes its input.

    Raises:
        ConfigError: Its tokenizer has no token that could pad texts.
    """
    tokenizer = _tokenizer(classifier)
    if tokenizer is None:
        return TextModality(pad=getattr(classifier, "pad_index", PAD_INDEX))
    if tokenizer.pad_token_id is None:
        LOGGER.warning(
            "The tokenizer of %s has no padding token: its %r pads shorter texts.",
            *(type(classifier).__name__, padded(tokenizer).pad_token),
        )
    return modality_of(padded(tokenizer))


def readable_by(classifier: nn.Module, dataset: SampleDataset) -> SampleDataset:
    """Return a data set with its texts as the tokens that a classifier knows.

    Pictures stay as they are, and so do texts that are read with a vocabulary.

    Raises:
        ConfigError: The classifier knows another vocabulary, or its tokenizer has no token that
            could pad texts.
    """
    tokenizer = _tokenizer(classifier)
    if tokenizer is None or not isinstance(dataset, TextDataset):
        check_vocabulary(classifier, dataset)
        return dataset
    tokenizer = padded(tokenizer)
    return PieceDataset(dataset, tokenizer, most_tokens(classifier, tokenizer, dataset.max_length))


def check_vocabulary(classifier: nn.Module, dataset: SampleDataset) -> None:
    """Refuse a classifier whose embedding has another size than the data set's vocabulary.

    Classifiers without a module `embedding`, and data sets of other things than text, pass.

    Raises:
        ConfigError: Says both sizes and what to set; or the texts have no vocabulary.
    """
    if not isinstance(dataset, TextDataset):
        return
    words, embedding = len(dataset.vocabulary), getattr(classifier, "embedding", None)
    size = embedding.num_embeddings if isinstance(embedding, nn.Embedding) else words
    if size != words:
        raise ConfigError(
            f"The vocabulary of '{dataset.place}' has {words} words, and the classifier's "
            f"embedding {size}: its words would be mistaken for others. Set "
            f"attributor.classifier.vocab_size={words} and train it on these texts, or use the "
            f"texts and `max_words` (here {dataset.max_words}) that it was trained with."
        )


def _tokenizer(classifier: nn.Module) -> Any:
    """Load the tokenizer of a transformer, or return None for other classifiers."""
    place = getattr(classifier, "tokenizer_place", None) or getattr(
        classifier, "name_or_path", None
    )
    return load_tokenizer(place) if isinstance(place, str) and place else None
