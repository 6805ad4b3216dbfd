"""Movie reviews in VIBI: data, the classifier that reads them, and how explanations are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from input_iba import models
from input_iba.core.padding import lengths_of, pad
from input_iba.datasets import IMDBDataset, build_dataset
from input_iba.datasets.tokens import cleaned, read_text, words_read
from input_iba.drawing.words import Shown, split_at
from input_iba.errors import ConfigError, DataError
from input_iba.modality.kinds import check_vocabulary
from input_iba.results import write_arrays, write_text
from input_iba.run.shell import Run
from input_iba.training.classifier import Labelled
from input_iba.training.data import read_texts
from input_iba.training.loop import progress_bar
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.text_page import read_top_k, text_page
from input_iba.vibi.fidelity import TopK, choose_top_k
from input_iba.vibi.inputs import UNASKED, Samples
from input_iba.vibi.model import Networks, Vibi
from input_iba.vibi.text_features import FeatureTextExplainer, WordFeatures
from input_iba.vibi.texts import (
    ExplainedTexts,
    TextApproximator,
    TextBlackBox,
    TextChunks,
    TextExplainer,
    ends_in,
    to_tokens,
    unpacked,
)

Words = tuple[list[str], Shown]
"""Tokens of a text, and how they are shown."""


def explained_texts(
    black_box: TextBlackBox, texts: Sequence[Tensor], device: torch.device, on_batch: Any = None
) -> ExplainedTexts:
    """Ask the black box about texts, token ids (T_s,) each."""
    inputs = pad(texts, black_box.modality.pad).ids

    def prepare(ids: Tensor) -> Tensor:
        return black_box.prepare(ids.to(device))

    unasked = ExplainedTexts(inputs, UNASKED, prepare, black_box.modality.pad)
    return unasked.answered(black_box, on_batch or (lambda _: None))


@dataclass
class Texts:
    """Movie reviews; their classifier is trained elsewhere. See `Images`."""

    config: VibiConfig
    run: Run

    def dataset(self, split: str) -> IMDBDataset:
        """Return the reviews of 'train' or 'test', of both classes."""
        cfg = {
            "type": "IMDBDataset",
            "root": self.config.data.root,
            "split": split,
            "select_cls": None,
            "max_length": self.config.texts.max_length,
        }
        dataset = build_dataset(cfg)
        assert isinstance(dataset, IMDBDataset)
        return dataset

    def read(self, dataset: Any, count: int) -> Labelled:
        """Read as many reviews, drawn at random; 0 for all."""
        return read_texts(dataset, count, self.run.seed)

    def networks(self, samples: Samples) -> Networks:
        """Build the networks around the classifier that the config names."""
        return self._networks("", samples.train.inputs[0])

    def load(self, shape: Sequence[int], classes: int, weights: str) -> Networks:
        """Build the networks of a checkpoint."""
        return self._networks(weights, torch.zeros(32, dtype=torch.int64))

    def _networks(self, weights: str, example: Tensor) -> Networks:
        config, device = self.config, self.run.device
        dataset = self.dataset("train")
        self.vocabulary = dataset.vocabulary
        classifier, file = self._classifier(weights)
        check_vocabulary(classifier, dataset)
        ends = ends_in(self.vocabulary.words)
        chunks = TextChunks(config.texts.chunks, config.texts.max_length, ends)
        black_box = TextBlackBox(classifier.to(device), chunks, self.run.autocast)
        inputs = black_box.prepare(example[None].to(device))
        with torch.no_grad():
            classes = black_box.log_probabilities(inputs).shape[1]
        dim = inputs.shape[2] - 1
        vibi = Vibi(
            self._explainer(black_box, inputs),
            TextApproximator(classes, dim, config.approximator.width or 200),
            chunks,
            config.explainer.k,
            self.run.autocast,
        )
        return Networks(vibi.to(device), black_box, file, inputs.shape[1:])

    def _explainer(self, black_box: TextBlackBox, example: Tensor) -> nn.Module:
        settings, dim = self.config.explainer, example.shape[2] - 1
        width = settings.width or 100
        if settings.start == "random":
            return TextExplainer(dim, width)
        return FeatureTextExplainer(WordFeatures(black_box, example, settings.layer), dim, width)

    def _classifier(self, weights: str) -> tuple[nn.Module, str]:
        """Return the classifier and the file of its weights; None given, the config's own."""
        settings = self.config.black_box
        cfg = dict(settings.classifier)
        found = weights or settings.checkpoint or cfg.get("pretrained") or ""
        if not found:
            raise ConfigError(
                "The black box of texts is not trained here: set black_box.classifier.pretrained "
                "to its checkpoint. `input-iba train nlp deep_lstm` trains one."
            )
        return models.build_classifier({**cfg, "pretrained": found}).eval(), str(found)

    def explained(self, networks: Networks, samples: Labelled) -> ExplainedTexts:
        """Ask the black box about all reviews."""
        assert isinstance(networks.black_box, TextBlackBox)
        with progress_bar(len(samples.inputs), "texts read by the black box") as bar:
            return explained_texts(networks.black_box, samples.inputs, self.run.device, bar.update)

    def draw(
        self,
        networks: Networks,
        inputs: Tensor,
        class_names: Sequence[str],
        folder: Path,
        note: str = "",
    ) -> None:
        """Write pages of reviews, token ids (n, T) padded at the end, with their words coloured.

        Titles end with `note`.
        """
        black_box = networks.black_box
        assert isinstance(black_box, TextBlackBox)
        lengths = lengths_of(inputs, black_box.modality.pad).tolist()
        for i, length in enumerate(lengths):
            ids = inputs[i, :length]
            prepared = black_box.prepare(ids[None].to(self.run.device))
            found = choose_top_k(networks.vibi, black_box, prepared)
            with black_box.frozen(), torch.no_grad():
                read = read_top_k(found, black_box.log_probabilities(prepared), prepared)
            tokens = [self.vocabulary.words[index] for index in ids.tolist()]
            page = text_page(f"text {i}", tokens, read, class_names, note)
            write_text(folder / f"text_{i:02d}.html", page)

    def open(self, path: Path) -> Words:
        """Read a text file; return its last `max_length` tokens, and how they are shown."""
        tokens, _, part, spans = words_read(cleaned(read_text(path)), self.config.texts.max_length)
        if not tokens:
            raise DataError(f"Text '{path}' is empty: it has no token.")
        return tokens, split_at(part, spans)

    def inputs(self, networks: Networks, opened: Words) -> Tensor:
        """Return the prepared text (1, T, 1 + E)."""
        assert isinstance(networks.black_box, TextBlackBox)
        return networks.black_box.prepare(
            self.vocabulary.encode(opened[0])[None].to(self.run.device)
        )

    def heat(self, networks: Networks, inputs: Tensor, logits: Tensor) -> Tensor:
        """Return the probability of each word's chunk, (1, T)."""
        return to_tokens(logits.softmax(1), unpacked(inputs)[1])

    def write(
        self,
        networks: Networks,
        opened: Words,
        found: TopK,
        whole: Tensor,
        class_names: Sequence[str],
        place: Path,
        note: str = "",
    ) -> tuple[Path, ...]:
        """Write `<place>.npz` and `<place>.html`, whose title ends with a note."""
        tokens, shown = opened
        read = read_top_k(found, whole.log()[None], self.inputs(networks, opened))
        files = (place.with_name(f"{place.name}.npz"), place.with_name(f"{place.name}.html"))
        values = {"mask": read.heat.numpy(), "top_k": read.shown.numpy()}
        write_arrays(files[0], **values, tokens=np.array(tokens, dtype=np.str_))
        write_text(files[1], text_page(place.name, shown, read, class_names, note))
        return files
