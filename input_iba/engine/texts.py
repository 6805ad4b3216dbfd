"""What the run of a config for text needs: tokens that the classifier reads, and their modality."""

from __future__ import annotations

from typing import Any

from torch import nn

from input_iba.core.padding import PAD_INDEX
from input_iba.datasets import PieceDataset, SampleDataset, TextDataset
from input_iba.engine.config import RunConfig
from input_iba.engine.logs import LOGGER
from input_iba.engine.vocabulary import check_vocabulary
from input_iba.errors import ConfigError
from input_iba.modality import Modality, TextModality, VisionModality
from input_iba.models import load_tokenizer

UNLIMITED = 10**9
"""Tokens from which on a tokenizer's limit says that there is none."""

STAND_INS = ("eos_token", "sep_token", "bos_token", "cls_token", "unk_token")
"""What pads texts where a tokenizer has no padding token, in the order of preference."""


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
            *(type(classifier).__name__, _padded(tokenizer).pad_token),
        )
    return _modality(_padded(tokenizer))


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
    tokenizer = _padded(tokenizer)
    return PieceDataset(dataset, tokenizer, _most_tokens(classifier, tokenizer, dataset))


def _modality(tokenizer: Any) -> TextModality:
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return TextModality(pad=tokenizer.pad_token_id, special=sorted(special))


def _tokenizer(classifier: nn.Module) -> Any:
    """Load the tokenizer of a transformer, or return None for other classifiers."""
    place = getattr(classifier, "tokenizer_place", None) or getattr(
        classifier, "name_or_path", None
    )
    return load_tokenizer(place) if isinstance(place, str) and place else None


def _padded(tokenizer: Any) -> Any:
    """Return a tokenizer after giving it another of its tokens for padding, if it has none.

    Raises:
        ConfigError: It has no token that could pad texts.
    """
    if tokenizer.pad_token_id is not None:
        return tokenizer
    found = next((token for name in STAND_INS if (token := getattr(tokenizer, name))), None)
    if found is None:
        raise ConfigError(
            f"The tokenizer in '{tokenizer.name_or_path}' has no padding token, nor another "
            "special token that could pad shorter texts. Set its pad_token and save it."
        )
    tokenizer.pad_token = found
    return tokenizer


def _most_tokens(classifier: nn.Module, tokenizer: Any, dataset: TextDataset) -> int | None:
    """Return how many tokens the classifier can read, special ones included; None for any.

    Where it has a table of positions, that is what counts, and otherwise what it says itself:
    XLNet says −1 for no limit, T5 says nothing.
    """
    encoder = getattr(classifier, "encoder", classifier)
    said = getattr(getattr(encoder, "config", None), "max_position_embeddings", None)
    positions = _modality(tokenizer).most_tokens(classifier) or said
    limits = (tokenizer.model_max_length, positions, dataset.max_length)
    return min((int(limit) for limit in limits if limit and 0 < limit < UNLIMITED), default=None)
