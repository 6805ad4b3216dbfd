"""What the run of a config for text needs: tokens that the classifier reads, and their modality."""

from __future__ import annotations

from typing import Any

from torch import nn

from input_iba.core.padding import PAD_INDEX
from input_iba.datasets import IMDBDataset, PieceDataset, SampleDataset
from input_iba.engine.config import RunConfig
from input_iba.engine.vocabulary import check_vocabulary
from input_iba.errors import ConfigError
from input_iba.modality import Modality, TextModality, VisionModality
from input_iba.models import load_tokenizer


def build_modality(config: RunConfig, classifier: nn.Module) -> Modality:
    """Return what kind of input a config's classifier takes."""
    if not config.text_modality:
        return VisionModality()
    tokenizer = _tokenizer(classifier)
    if tokenizer is None:
        return TextModality(pad=getattr(classifier, "pad_index", PAD_INDEX))
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return TextModality(pad=tokenizer.pad_token_id, special=sorted(special))


def readable_by(classifier: nn.Module, dataset: SampleDataset) -> SampleDataset:
    """Return a data set with its texts as the tokens that a classifier knows.

    Pictures stay as they are, and so do texts that are read with a vocabulary.

    Raises:
        ConfigError: The classifier knows another vocabulary, or has no tokenizer for padded texts.
    """
    tokenizer = _tokenizer(classifier)
    if tokenizer is None or not isinstance(dataset, IMDBDataset):
        check_vocabulary(classifier, dataset)
        return dataset
    if tokenizer.pad_token_id is None:
        raise ConfigError(
            f"The tokenizer of {type(classifier).__name__} has no padding token, so texts of "
            "different lengths cannot be explained together. Set its pad_token and save it."
        )
    return PieceDataset(dataset, tokenizer, _most_tokens(classifier, tokenizer, dataset))


def _tokenizer(classifier: nn.Module) -> Any:
    """Load the tokenizer of a transformer, or return None for other classifiers."""
    place = getattr(classifier, "tokenizer_place", None) or getattr(
        classifier, "name_or_path", None
    )
    return load_tokenizer(place) if isinstance(place, str) and place else None


def _most_tokens(classifier: nn.Module, tokenizer: Any, dataset: IMDBDataset) -> int:
    """Return how many tokens the classifier can read, special ones included."""
    encoder = getattr(classifier, "encoder", classifier)
    positions = getattr(getattr(encoder, "config", None), "max_position_embeddings", None)
    limits = (tokenizer.model_max_length, positions, dataset.max_length)
    return min(limit for limit in limits if limit)
