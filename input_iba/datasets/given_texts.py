"""Texts that were given one by one, and variations of them to estimate statistics with."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from input_iba.datasets.class_index import Classes, for_every_target
from input_iba.datasets.ids import numbered
from input_iba.datasets.text_dataset import TextDataset
from input_iba.datasets.tokens import cleaned
from input_iba.errors import ConfigError
from input_iba.registry import DATASETS

LOGGER = logging.getLogger(__name__)

SENTENCES = Path(__file__).with_name("plain_sentences.txt")
MAX_NAME = 40
"""Characters of a text that it is named by, at most."""


@DATASETS.register_module()
class GivenTexts(TextDataset):
    """Texts, each of them once for every target.

    Args:
        texts: The texts.
        targets: Class indices or names; none for the class that the classifier predicts.
        classes: Names of the classes, by index; None where they have none.
        names: What the texts are called; None for their first words.
    """

    indices_given = True

    def __init__(
        self,
        texts: Sequence[str],
        targets: Sequence[int | str] = (),
        classes: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        _check(texts)
        ids = numbered(list(names) if names else [name_of(cleaned(text)) for text in texts])
        known = None if classes is None else Classes(classes)
        ids, self._places, indices = for_every_target(ids, known, targets)
        paths = [f"--text, number {place + 1}" for place in self._places]
        super().__init__(Path("--text"), ids, classes, indices, paths)
        self.texts = list(texts)

    def raw_text(self, index: int) -> str:
        """Return a text as it was given."""
        return self.texts[self._places[index]]

    def content(self) -> list[Any]:
        """Return a checksum of the texts, and all ids and targets."""
        asked = [list(pair) for pair in zip(self.ids, self._targets, strict=True)]
        return [hashlib.sha256(repr(self.texts).encode()).hexdigest(), asked]


@DATASETS.register_module()
class TextVariations(TextDataset):
    """Some texts and plain sentences, then random parts and orders of them, to estimate with.

    The text at a position depends on seed and position only. It has no target, since parts of a
    text may be of another class.

    Args:
        texts: The texts.
        n: Number of variations.
        seed: Seeds which part is taken, and in which order.
    """

    def __init__(self, texts: Sequence[str], n: int = 200, seed: int = 0) -> None:
        _check(texts)
        if n < 1:
            raise ConfigError(f"`n`, the number of texts, is at least 1; got {n!r}.")
        ids = [f"text_{i:0{len(str(n - 1))}d}" for i in range(n)]
        paths = [f"--text, variation {i}" for i in range(n)]
        super().__init__(Path("--text"), ids, None, None, paths)
        self.sources = [*texts, *SENTENCES.read_text(encoding="utf-8").splitlines()]
        self.seed = seed
        LOGGER.info(
            "Statistics of the layer come from the texts themselves, plain sentences of the "
            "package, and random parts and orders of both, %d texts in all.",
            n,
        )

    def raw_text(self, index: int) -> str:
        """Return a source as it is, or part of one with its words in another order."""
        source = self.sources[index % len(self.sources)]
        if index < len(self.sources):
            return source
        words = source.split()
        space, units = (" ", words) if len(words) > 1 else ("", list(source))  # without spaces
        draws = np.random.default_rng((self.seed, index))
        count = int(draws.integers(1, len(units) + 1))
        start = int(draws.integers(len(units) - count + 1))
        part = units[start : start + count]
        if draws.random() < 0.5:
            part = [part[i] for i in draws.permutation(count)]
        return space.join(part)

    def content(self) -> list[Any]:
        """Return a checksum of the sources, and how they vary."""
        return [hashlib.sha256(repr(self.sources).encode()).hexdigest(), len(self), self.seed]


def name_of(text: str) -> str:
    """Return what a text is called: its first words.

    >>> name_of("It's a fine film, and one that you will like."), name_of("!")
    ('It_s_a_fine_film_and_one_that_you_will', 'text')
    """
    words = re.findall(r"\w+", text)
    while len("_".join(words)) > MAX_NAME and len(words) > 1:
        words.pop()
    return "_".join(words)[:MAX_NAME] or "text"


def _check(texts: Sequence[str]) -> None:
    if isinstance(texts, str) or not texts:
        raise ConfigError(f"`texts` is a list of texts, one or more; got {texts!r}.")
    empty = [i for i, text in enumerate(texts, 1) if not text.strip()]
    if empty:
        raise ConfigError(f"Text {empty[0]} of {len(texts)} is empty: give one with a word in it.")
