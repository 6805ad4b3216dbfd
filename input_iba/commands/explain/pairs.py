"""An image and a text, or an image and a list of texts, without a config: for dual encoders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from input_iba import models
from input_iba.commands.explain.images import GivenImages
from input_iba.commands.explain.options import ImageOptions, TextOptions
from input_iba.commands.explain.texts import GivenTexts
from input_iba.core.hooks import find_layer
from input_iba.datasets.class_index import Classes, find_targets
from input_iba.modality.layer_choice import choose_layer
from input_iba.models.prepared import named_folder


@dataclass(frozen=True, kw_only=True)
class DualImages(GivenImages):
    """Images, and a folder or hub name of a dual encoder of `transformers`."""

    @property
    def question(self) -> dict[str, Any]:
        """Return the keys of the classifier's config that say what is asked."""
        return {}

    def content(self) -> dict[str, Any]:
        """Return data and attributor as a config has them."""
        cfg = dual_config(self._model, self.question)
        classifier: Any = models.build_classifier(cfg)
        names = list(classifier.config.id2label.values())
        asked = self.asked(Classes(names))
        find_targets(Classes(names), self.targets)
        named = named_folder(self._model)
        shape = self._shape(named)
        self._count_classes(classifier, shape)
        layer = self.layer or choose_layer(classifier, named.size)
        find_layer(classifier, layer)
        data = self.images_data(named, shape, names)
        return {"data": data, "attributor": {"layer": layer, "classifier": cfg}, **asked}


@dataclass(frozen=True, kw_only=True)
class ZeroShotImages(DualImages):
    """Images, and texts in a file, which are the classes."""

    @property
    def question(self) -> dict[str, Any]:
        """Return the texts' file; the classifier says what is missing where there is none."""
        return {} if self.classes is None else {"classes": str(self.classes)}


@dataclass(frozen=True, kw_only=True)
class PairImage(TextOptions, DualImages):
    """An image that is explained for a text."""

    @property
    def name(self) -> Path:
        """Return the name of the image."""
        return Path(self.files[0].name)

    @property
    def question(self) -> dict[str, Any]:
        """Return the text, and what it is set against."""
        return {"text": self.texts[0], **set_against(self.instead_of)}

    def asked(self, classes: Classes | None) -> dict[str, Any]:
        """Return nothing: the classifier itself asks."""
        return {}


@dataclass(frozen=True, kw_only=True)
class PairText(ImageOptions, GivenTexts):
    """A text that is explained for an image."""

    @property
    def ids(self) -> list[str] | None:
        """Return the name of the image, so that one card shows both."""
        return [self.files[0].stem]

    def classifier_config(self, model: str) -> dict[str, Any]:
        """Return the config of what asks whether texts match the image."""
        image = {"image": str(self.files[0]), **set_against(self.instead_of)}
        return dual_config(model, image)

    def asked(self, classes: Classes | None) -> dict[str, Any]:
        """Return nothing: the classifier itself asks."""
        return {}


def dual_config(model: str, question: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a dual encoder as a classifier."""
    return {"source": "transformers", "type": model, "pretrained": True, **question}


def set_against(instead_of: str | None) -> dict[str, Any]:
    """Return the key for a text that others are set against, if there is one."""
    return {} if instead_of is None else {"instead_of": [instead_of]}
