"""The networks of the page: which may be asked, loaded once, with the statistics of their layer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from input_iba.app.jobs import Told
from input_iba.attribution.facade import InputIBA
from input_iba.attribution.loaded import LoadedModel, load_model
from input_iba.core.outputs import class_names_of
from input_iba.datasets.class_index import find_targets, named_classes
from input_iba.datasets.given_texts import SENTENCES, TextVariations
from input_iba.datasets.samples import SampleCrops
from input_iba.errors import ConfigError, closest
from input_iba.models.named import SOURCES
from input_iba.models.transformers_source import OF_IMAGES, task_of

KEPT = 2
"""Networks that stay in memory."""

USUAL = 100
"""Inputs from which the statistics of a layer come: crops of photographs, or parts of texts."""


class Network:
    """A network that is ready to be asked.

    Args:
        loaded: The network, and how its inputs are made.
        told: Is told of progress with the layer's statistics.
    """

    def __init__(self, loaded: LoadedModel, told: Told) -> None:
        self.kind = "images" if loaded.tokenizer is None else "texts"
        self.names: Sequence[str] = tuple(loaded.class_names or class_names_of(loaded.model))
        self._model = loaded.model
        self._how: dict[str, Any] = {"tokenizer": loaded.tokenizer, "transform": loaded.transform}
        self._how["class_names"] = self.names
        first = InputIBA(loaded.model, **self._how).fit(usual_inputs(self.kind, told), USUAL)
        self._by_preset = {"fast": first}

    def iba(self, preset: str) -> InputIBA:
        """Return what explains by a preset; all of them have the same statistics."""
        if preset not in self._by_preset:
            first = self._by_preset["fast"]
            made = InputIBA(self._model, first.layer, preset=preset, **self._how)
            made.statistics = first.statistics
            self._by_preset[preset] = made
        return self._by_preset[preset]

    def class_of(self, text: str) -> int | None:
        """Return the class that a visitor names, by name or number; None for no name.

        Raises:
            ConfigError: There is none; names the closest.
        """
        if not text.strip():
            return None
        [found] = find_targets(named_classes(list(self.names) or None), [text.strip()])
        return found


def kind_of(name: str) -> str:
    """Return what a network explains, 'images' or 'texts', by its name alone."""
    of_transformers = Path(name).is_dir() or name.rpartition("/")[0] not in ("", *SOURCES)
    return "texts" if of_transformers and task_of(name) not in OF_IMAGES else "images"


class Networks:
    """The networks that may be asked.

    Args:
        listed: Their names.
        any_other: Whether others may be, too.
    """

    def __init__(self, listed: Sequence[str], any_other: bool) -> None:
        self.kinds = {name: kind_of(name) for name in listed}
        self.any_other = any_other
        self._loaded: OrderedDict[str, Network] = OrderedDict()

    def get(self, name: str, told: Told) -> Network:
        """Return a network with its statistics, which its first question waits for.

        Raises:
            ConfigError: It may not be asked, or there is none.
        """
        if name not in self.kinds and not self.any_other:
            raise ConfigError(
                f"The network {name!r} is not on this page's list.{closest(name, self.kinds)} "
                f"Choose one of {', '.join(self.kinds)}."
            )
        if name not in self._loaded:
            told("loading the network", 0, 1)
            self._loaded[name] = Network(load_model(name), told)
        self._loaded.move_to_end(name)
        while len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        return self._loaded[name]


def usual_inputs(kind: str, told: Told) -> Iterator[Any]:
    """Yield images of PIL, or texts, that statistics come from."""
    sentences = SENTENCES.read_text(encoding="utf-8").splitlines()
    crops = SampleCrops([], USUAL) if kind == "images" else None
    texts = TextVariations(sentences[:1], USUAL)
    for i in range(USUAL):
        told("looking at usual inputs", i, USUAL)
        yield crops.read(i)[0] if crops is not None else texts.raw_text(i)
