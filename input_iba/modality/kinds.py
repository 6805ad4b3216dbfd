"""The kinds of input of configs: how classifiers take them, and how data sets give them."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import nn

from input_iba.core.padding import PAD_INDEX
from input_iba.core.targets import GenerationTarget, Target
from input_iba.datasets import PieceDataset, SampleDataset, TextDataset
from input_iba.errors import ConfigError
from input_iba.modality.answers import Answerer
from input_iba.modality.base import Modality
from input_iba.modality.text import TextModality
from input_iba.modality.tokenizers import modality_of, most_tokens, padded
from input_iba.modality.vision import VisionModality
from input_iba.models import load_tokenizer

LOGGER = logging.getLogger(__name__)


class Kind(ABC):
    """A kind of input.

    Attributes:
        name: What samples of it are called.
        counted: What the statistics of a layer are over.
        map_dims: How many dimensions the features of one sample may have to be drawn as a map.
    """

    name: ClassVar[str]
    counted: ClassVar[str]
    map_dims: ClassVar[tuple[int, ...]]

    @abstractmethod
    def modality(self, classifier: nn.Module) -> Modality:
        """Return how a classifier takes its input.

        Raises:
            ConfigError: Its tokenizer has no token that could pad texts.
        """

    def readable(
        self, classifier: nn.Module, dataset: SampleDataset, question: Target | None = None
    ) -> SampleDataset:
        """Return a data set with its samples as the classifier reads them.

        `question` is asked of every sample, and may need more than the sample says.

        Raises:
            ConfigError: The classifier knows another vocabulary, or cannot pad texts.
        """
        return dataset


class Images(Kind):
    """Images, which a classifier takes as they come out of their pipeline."""

    name = "images"
    counted = "samples"
    map_dims = (2, 3)

    def modality(self, classifier: nn.Module) -> Modality:
        """Return how classifiers take images."""
        return VisionModality()


class Texts(Kind):
    """Texts, which come as words of a vocabulary, or as pieces of a transformer's tokenizer."""

    name = "texts"
    counted = "tokens"
    map_dims = (2,)

    def modality(self, classifier: nn.Module) -> TextModality:
        """Return how a classifier takes token ids."""
        tokenizer = _tokenizer(classifier)
        if tokenizer is None:
            return TextModality(pad=getattr(classifier, "pad_index", PAD_INDEX))
        if tokenizer.pad_token_id is None:
            LOGGER.warning(
                "The tokenizer of %s has no padding token: its %r pads shorter texts.",
                type(classifier).__name__,
                padded(tokenizer).pad_token,
            )
        return modality_of(padded(tokenizer))

    def readable(
        self, classifier: nn.Module, dataset: SampleDataset, question: Target | None = None
    ) -> SampleDataset:
        """Return a data set with its texts as the tokens that a classifier knows."""
        tokenizer = _tokenizer(classifier)
        if tokenizer is None or not isinstance(dataset, TextDataset):
            check_vocabulary(classifier, dataset)
            return dataset
        limit = most_tokens(classifier, padded(tokenizer), dataset.max_length)
        if isinstance(question, GenerationTarget):
            modality = self.modality(classifier)
            of_text = (modality.pad, modality.special, tokenizer, limit)
            return Answerer(classifier, *of_text).texts(dataset, question)
        return PieceDataset(dataset, tokenizer, limit)


KINDS: Mapping[str, Kind] = {"Vision": Images(), "NLP": Texts()}
"""By the beginning of the names of types in published configs."""


def check_vocabulary(classifier: nn.Module, dataset: SampleDataset) -> None:
    """Refuse a classifier whose embedding has another size than the data set's vocabulary.

    Raises:
        ConfigError: Says both sizes and what to set.
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
    named = getattr(classifier, "name_or_path", None)
    place = getattr(classifier, "tokenizer_place", None) or named
    return load_tokenizer(place) if isinstance(place, str) and place else None
