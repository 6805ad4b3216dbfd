"""A tiny BERT with a tokenizer, saved as `transformers` saves them; nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["a", "great", "film", "dull", "fun", "so", "flat", "##ly", "##ness", "and", "good", "bad"]
WORDS += [f"w{i}" for i in range(24)]


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a WordPiece tokenizer of few words."""
    ids = {word: i for i, word in enumerate(SPECIAL + WORDS)}
    pieces = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    pieces.normalizer = BertNormalizer()
    pieces.pre_tokenizer = BertPreTokenizer()
    ends = [("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])]
    pieces.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = ("pad", "unk", "cls", "sep", "mask")
    special = {f"{name}_token": token for name, token in zip(names, SPECIAL, strict=True)}
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=pieces, model_max_length=40, **special
    )
    return made


def tiny_bert(classes: int = 2, seed: int = 0, **options: Any) -> BertForSequenceClassification:
    """Return a random BERT of two layers."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(
        vocab_size=len(SPECIAL + WORDS),
        intermediate_size=32,
        max_position_embeddings=40,
        num_labels=classes,
        **{**sizes, **options},
    )
    return BertForSequenceClassification(config)


def save_tiny_bert(folder: Path, **options: Any) -> Path:
    """Write model and tokenizer into a folder and return it."""
    tiny_bert(**options).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
