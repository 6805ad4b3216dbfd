"""What the tokenizer of a transformer says: what pads, what is special, how long a text may be."""

from __future__ import annotations

from typing import Any

from torch import nn

from input_iba.errors import ConfigError
from input_iba.modality.text import TextModality

UNLIMITED = 10**9
"""Tokens from which on a tokenizer's limit says that there is none."""

STAND_INS = ("eos_token", "sep_token", "bos_token", "cls_token", "unk_token")
"""What pads texts where a tokenizer has no padding token, in the order of preference."""


def modality_of(tokenizer: Any) -> TextModality:
    """Return how a classifier takes the texts of a tokenizer with padding."""
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    ids = {"pad": tokenizer.pad_token_id, "special": sorted(special)}
    return TextModality(**ids, spelled=tokenizer.decode)


def padded(tokenizer: Any) -> Any:
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


def most_tokens(classifier: nn.Module, tokenizer: Any, asked: int | None = None) -> int | None:
    """Return how many tokens a classifier can read, special ones included; None for any.

    Where it has a table of positions, that is what counts, and otherwise what it says itself:
    XLNet says −1 for no limit, T5 says nothing. The tokenizer pads; `asked` is the caller's limit.
    """
    encoder = getattr(classifier, "encoder", classifier)
    said = getattr(getattr(encoder, "config", None), "max_position_embeddings", None)
    positions = modality_of(tokenizer).most_tokens(classifier) or said
    limits = (tokenizer.model_max_length, positions, asked)
    return min((int(limit) for limit in limits if limit and 0 < limit < UNLIMITED), default=None)
