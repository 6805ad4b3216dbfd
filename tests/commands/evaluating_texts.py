"""Tiny reviews, classifiers that read them as words or as word pieces, and a map per review."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from input_iba import models
from input_iba.config.build import build_classifier, build_datasets
from input_iba.config.load import load_config
from input_iba.records import TextSample
from input_iba.results import write_mask
from tests.commands.evaluating import status
from tests.commands.explain.test_text_run import text_config
from tests.datasets.reviews import TEXTS, write_reviews
from tests.models.tiny_bert import save_tiny_bert, tokenizer
from tests.tiny_runs import write_config

REVIEWS = {
    **TEXTS,
    "test/pos": {"0_8": "A greatly dull <b>film</b>, so fun and good!", "1_7": "zebra"},
    "test/neg": {
        "0_3": "so dull, so flatly dull and so bad; a flatness",
        "1_4": "not so great fun",
    },
}


@dataclass(frozen=True)
class EvaluatedTexts:
    """What an evaluation of texts needs: four reviews, one of them a single word."""

    root: Path
    config: Path
    maps: Path
    samples: dict[str, TextSample]

    def run(self, metric: str, name: str, *options: str) -> int:
        fixed = ["--device", "cpu", "--scores-threshold", "0"]
        work = str(self.root / "results")
        arguments = [str(self.config), str(self.maps), work, name, *fixed, *options]
        return status(f"evaluate {metric}", arguments)

    def result(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / "results" / f"{name}.json").read_text())
        return found

    def heat(self, id_: str) -> list[float]:
        with np.load(self.maps / f"{id_}.npz") as arrays:
            return [float(value) for value in arrays["mask"]]

    def logits(self, how: str = "zero") -> Callable[[TextSample, set[int]], Tensor]:
        """Return the slow way to logits (classes,) of a text without some of its words.

        `how` is 'zero', 'mask' or 'remove': what becomes of them.
        """
        model: Any = build_classifier(load_config(self.config))

        @torch.no_grad()
        def logits(sample: TextSample, without: set[int]) -> Tensor:
            owners = range(len(sample.tokens)) if sample.words is None else sample.words
            bert = hasattr(model, "bert")
            table = model.get_input_embeddings() if bert else model.embedding
            mask = tokenizer().mask_token_id if bert else 0
            places = list(zip(sample.input.tolist(), owners, strict=True))
            if how == "mask":
                places = [(mask if word in without else id_, word) for id_, word in places]
            if how == "remove":
                places = [place for place in places if place[1] not in without] or [(1, 0)]
            vectors = table(torch.tensor([[id_ for id_, _ in places]])).clone()
            for i, (_, word) in enumerate(places):
                if how == "zero" and word in without:
                    vectors[0, i] = 0
            found: Tensor
            if bert:
                found = model(inputs_embeds=vectors).logits[0]
            else:
                found = model.fc(model.states(vectors)[-1][:, -1])[0]
            return found if len(found) > 1 else torch.cat([-found / 2, found / 2])

        return logits


def prepare_texts(root: Path, kind: str = "DeepLSTM") -> EvaluatedTexts:
    """Write reviews, a config of a random 'DeepLSTM' or 'BERT', and random maps.

    The weights are large, so that words make a difference.
    """
    settings = text_config(write_reviews(root / "imdb", REVIEWS))
    classifier = settings["attributor"]["classifier"]
    if kind == "BERT":
        bert = str(save_tiny_bert(root / "bert", initializer_range=0.5))
        classifier.clear()
        classifier.update(source="transformers", type=bert, pretrained=True)
        settings["attributor"]["layer"] = "bert.encoder.layer.0"
    else:
        torch.manual_seed(0)
        weights = models.build_classifier(classifier).state_dict()
        weights["fc.weight"] *= 30
        torch.save(weights, root / "lstm.pt")
        classifier["pretrained"] = str(root / "lstm.pt")
    path = write_config(root / "text.py", settings)
    config = load_config(path)
    _, dataset = build_datasets(config, build_classifier(config))
    samples = {id_: dataset[i] for i, id_ in enumerate(dataset.ids)}
    draws = np.random.default_rng(0)
    for id_, sample in samples.items():
        values = draws.random(len(sample.tokens)).round(1)  # some words tie
        write_mask(root / "maps" / f"{id_}.npz", values, sample.tokens)
    return EvaluatedTexts(root, path, root / "maps", samples)
