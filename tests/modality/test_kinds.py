"""What runs need of tokenizers: how many tokens stay, what pads, which words there are."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import PreTrainedTokenizerFast

from input_iba.config.load import load_config
from input_iba.core.explainable import weights_digest
from input_iba.datasets import IMDBDataset, PieceDataset
from input_iba.errors import ConfigError
from input_iba.modality import TextModality
from input_iba.modality.kinds import KINDS
from input_iba.models import build_classifier
from tests.commands.explain.test_text_run import run, text_config
from tests.datasets.reviews import write_reviews
from tests.modality.text_models import make
from tests.models.tiny_bert import tiny_bert
from tests.models.tiny_tokenizers import byte_level
from tests.tiny_runs import write_config

LONG = {"train/pos": {"0_9": "a great film and fun " * 20}, "train/neg": {"0_2": "so dull"}}


def saved(folder: Path, net: Any, tokenizer: PreTrainedTokenizerFast) -> nn.Module:
    """Return a classifier as runs load it from a folder."""
    net.resize_token_embeddings(len(tokenizer))
    net.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return build_classifier({"source": "transformers", "type": str(folder), "pretrained": True})


def longest(dataset: Any) -> int:
    assert isinstance(dataset, PieceDataset)
    return max(len(dataset[index].input) for index in range(len(dataset)))


@pytest.mark.parametrize(
    ("name", "tokenizer_limit", "most"),
    [
        ("bert", None, 34),
        ("roberta", None, 32),
        ("longformer", None, 32),
        ("gpt2", None, 34),
        ("bert", 20, 20),
        ("xlnet", None, None),
        ("t5", None, None),
        ("t5", 50, 50),
    ],
)
def test_texts_are_cut_to_what_the_classifier_can_read(
    name: str, tokenizer_limit: int | None, most: int | None, tmp_path: Path
) -> None:
    cuts = byte_level(tokenizer_limit)
    net = saved(tmp_path / "net", make(name), cuts)
    texts = IMDBDataset(write_reviews(tmp_path / "imdb", LONG))
    whole = len(cuts(LONG["train/pos"]["0_9"])["input_ids"])
    assert longest(KINDS["NLP"].readable(net, texts)) == (most or whole)
    texts.max_length = 12
    assert longest(KINDS["NLP"].readable(net, texts)) == 12


def gpt2_config(root: Path) -> Any:
    """Return a config of a GPT-2 that knows no padding, and neither does its tokenizer."""
    saved(root / "gpt2", make("gpt2"), byte_level(pad=None))
    settings = text_config(write_reviews(root / "imdb"))
    place = {"source": "transformers", "type": str(root / "gpt2"), "pretrained": True}
    settings["attributor"].update(classifier=place, layer="transformer.h.0")
    return load_config(write_config(root / "gpt2.py", settings))


def test_the_end_of_texts_pads_where_nothing_else_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = gpt2_config(tmp_path)
    net = build_classifier(config.classifier)
    with caplog.at_level(logging.WARNING, "input_iba"):
        reads = config.kind.modality(net)
        dataset = KINDS["NLP"].readable(net, IMDBDataset(tmp_path / "imdb"))
    assert isinstance(reads, TextModality)
    assert dataset[0].pad == reads.pad == 2
    assert [record.getMessage() for record in caplog.records] == [
        "The tokenizer of GPT2ForSequenceClassification has no padding token: its '</s>' pads "
        "shorter texts."
    ]
    records = run(config, tmp_path / "work")
    assert {record["status"] for record in records} == {"done"}


def test_a_tokenizer_with_nothing_to_pad_with_is_refused(tmp_path: Path) -> None:
    cuts = byte_level(pad=None)
    bare = PreTrainedTokenizerFast(tokenizer_object=cuts.backend_tokenizer)
    net = saved(tmp_path / "net", make("gpt2"), bare)
    texts = IMDBDataset(write_reviews(tmp_path / "imdb"))
    with pytest.raises(ConfigError, match="no padding token, nor another"):
        KINDS["NLP"].readable(net, texts)


def test_weights_of_any_type_have_a_digest() -> None:
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    digests = [weights_digest(tiny_bert().to(kind)) for kind in (*kinds, *kinds)]
    assert digests[:3] == digests[3:]
    assert len(set(digests)) == 3
