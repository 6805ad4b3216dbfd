"""Texts without a config: what they need is made of the name of a sequence classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from input_iba import models
from input_iba.config.load import RunConfig, load_config
from input_iba.config.texts import readable_by, text_modality
from input_iba.core.hooks import find_layer
from input_iba.datasets import build_dataset
from input_iba.datasets.given_texts import name_of
from input_iba.datasets.tokens import cleaned
from input_iba.errors import ConfigError

VARIATIONS = 200
"""Texts that the statistics of the layer come from."""

AT_ONCE = 4
"""Texts that are explained at once."""


@dataclass(frozen=True)
class AskedTexts:
    """What is to be explained, by which classifier.

    Attributes:
        texts: The texts.
        model: Folder or hub name of a sequence classifier of `transformers`; None for none, which
            is an error.
        layer: Layer of the feature bottleneck, or None for one that suits the classifier.
        targets: Class names or indices; none for the predicted class.
    """

    texts: Sequence[str]
    model: str | None
    layer: str | None = None
    targets: Sequence[str] = ()

    @property
    def name(self) -> Path:
        """Return what stands in place of a config's file: in messages, and for the work directory.

        >>> AskedTexts(["A fine film.", "Dull."], "bert").name
        PosixPath('A_fine_film_and_1_more.txt')
        """
        more = len(self.texts) - 1
        return Path(f"{name_of(cleaned(self.texts[0]))}{f'_and_{more}_more' if more else ''}.txt")


def texts_config(asked: AskedTexts, overrides: Mapping[str, Any], preset: str | None) -> RunConfig:
    """Return the config of a run that explains texts.

    Args:
        asked: What is to be explained.
        overrides: From dotted keys to values, as `--cfg-options` gives them.
        preset: Parameters of the method; None for 'fast'.

    Raises:
        ConfigError: There is no model; a layer or class is unknown; or a text is empty.
        CheckpointError: The model cannot be had; says what can be done.
        DataError: The tokenizer finds no word in a text.
    """
    if asked.model is None:
        raise ConfigError(
            "--text needs --model: a folder with a sequence classifier of `transformers` and its "
            "tokenizer, as `save_pretrained` writes them, or a name on the hub. No classifier of "
            "text comes with the package; the MiniLM of the extra 'minilm' is an encoder, which "
            "tells no classes apart before a head is trained (configs/minilm_imdb.py)."
        )
    classifier_cfg = {"source": "transformers", "type": asked.model, "pretrained": True}
    classifier = models.build_classifier(classifier_cfg).eval()
    data = _data(asked, _class_names(classifier))
    dataset = readable_by(classifier, build_dataset(data["attribution"]))
    _check_targets(classifier, [dataset.target(i) for i in range(len(dataset))])
    first, *_ = [dataset[i] for i in range(len(dataset))]  # all of them, so that none is bad
    layer = asked.layer or text_modality(classifier).choose_layer(classifier, first.input[None])
    find_layer(classifier, layer)
    content = {
        "data": data,
        "attributor": {"type": "NLPAttributor", "layer": layer, "classifier": classifier_cfg},
    }
    # Not in `content`, which would be told to count against a preset.
    options = {"estimation_cfg.n_samples": VARIATIONS, **overrides}
    return load_config(asked.name, options, preset or "fast", content)


def _class_names(classifier: nn.Module) -> list[str] | None:
    """Return what the classifier calls its classes; None of one logit, which tells two apart."""
    config: Any = classifier.config
    if config.num_labels < 2:
        return None
    return [str(config.id2label.get(i, f"class {i}")) for i in range(config.num_labels)]


def _check_targets(classifier: nn.Module, targets: Sequence[int | None]) -> None:
    config: Any = classifier.config
    count = max(config.num_labels, 2)
    wrong = [target for target in targets if target is not None and target >= count]
    if wrong:
        raise ConfigError(f"Target {wrong[0]}: class indices go from 0 to {count - 1}.")


def _data(asked: AskedTexts, classes: list[str] | None) -> dict[str, Any]:
    texts = [cleaned(text) for text in asked.texts]
    targets = [int(target) if target.isdecimal() else target for target in asked.targets]
    return {
        "data_loader": {"batch_size": AT_ONCE, "shuffle": True, "num_workers": 0},
        "estimation": {"type": "TextVariations", "texts": texts, "n": VARIATIONS},
        "attribution": {
            "type": "GivenTexts",
            "texts": texts,
            "targets": targets,
            "classes": classes,
        },
    }
