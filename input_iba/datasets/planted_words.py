"""Texts of random words, one of which decides the class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from input_iba.datasets.given_texts import SENTENCES
from input_iba.datasets.noise import NONE, check_drawn, draws_of, numbered_ids
from input_iba.datasets.text_dataset import TextDataset
from input_iba.datasets.tokens import basic_english
from input_iba.datasets.vocabulary import SPECIALS, Vocabulary
from input_iba.errors import ConfigError
from input_iba.registry import DATASETS


@lru_cache(maxsize=1)
def neutral_words() -> tuple[str, ...]:
    """Return the different words of the package's plain sentences, in the order of the alphabet."""
    words = basic_english(SENTENCES.read_text(encoding="utf-8"))
    return tuple(sorted({word for word in words if word.isalpha()}))


@DATASETS.register_module()
class PlantedWords(TextDataset):
    """Texts of random words in random order, with one planted word, which is the class.

    Texts without a planted word are a class of their own, 'none': were there always one, a
    classifier could know one class by the absence of the other's word.

    Args:
        n: Number of texts; the classes take turns.
        words: The word of each class but the last.
        lengths: Least and greatest number of words of a text.
        others: Number of the other words; the vocabulary has `<unk>` and `<pad>` beside them and
            those planted.
        seed: Draws lengths, places and words.

    >>> texts = PlantedWords(n=2, lengths=(3, 5))
    >>> texts[1].target, texts.words[1] in texts[1].tokens, texts.words[0] in texts[1].tokens
    (1, True, False)
    """

    def __init__(
        self,
        n: int = 1000,
        words: Sequence[str] = ("dreadful", "superb"),
        lengths: tuple[int, int] = (8, 24),
        others: int = 200,
        seed: int = 0,
    ) -> None:
        check_drawn("PlantedWords", n, seed)
        self.words, self.lengths, self.seed = tuple(words), tuple(lengths), seed
        self.others = [word for word in neutral_words() if word not in words][:others]
        self._check(others)
        classes = [*words, NONE]
        targets = [i % len(classes) for i in range(n)]
        paths = [f"planted words {i} of seed {seed}" for i in range(n)]
        ids = numbered_ids("planted", n)
        super().__init__(Path("planted words"), ids, classes, targets, paths)
        self.own_vocabulary = Vocabulary((*SPECIALS, *self.words, *self.others))

    def raw_text(self, index: int) -> str:
        """Return a text: its words with spaces between them."""
        words, _ = self._drawn(index)
        return " ".join(words)

    def marked(self, index: int) -> list[tuple[int, int]] | None:
        """Return first and last character (exclusive) of the planted word; None without one."""
        words, place = self._drawn(index)
        if place is None:
            return None
        start = len("".join(f"{word} " for word in words[:place]))
        return [(start, start + len(words[place]))]

    def content(self) -> list[Any]:
        """Return how many texts are drawn, and how."""
        return [len(self), self.words, self.others, self.lengths, self.seed]

    def _drawn(self, index: int) -> tuple[list[str], int | None]:
        """Return the words of a text, and the place of the planted one, if any."""
        index = range(len(self))[index]
        draws = draws_of(self.seed, index)
        count = int(draws.integers(self.lengths[0], self.lengths[1] + 1))
        words = [self.others[i] for i in draws.integers(len(self.others), size=count)]
        place, label = int(draws.integers(count)), index % (len(self.words) + 1)
        if label == len(self.words):
            return words, None
        words[place] = self.words[label]
        return words, place

    def _check(self, others: int) -> None:
        different = len({*self.words, NONE}) == len(self.words) + 1 >= 2
        if not different or any(basic_english(word) != [word] for word in self.words):
            raise ConfigError(
                "`words` of PlantedWords are different words in lower case, one a class, "
                f"none of them {NONE!r}; got {self.words!r}."
            )
        if len(self.lengths) != 2 or not 1 <= self.lengths[0] <= self.lengths[1]:
            raise ConfigError(
                "`lengths` of PlantedWords are a least and a greatest number of words, at least 1; "
                f"got {self.lengths!r}."
            )
        if not 1 <= others <= len(self.others):
            raise ConfigError(
                f"`others` of PlantedWords is 1 to {len(neutral_words()) - len(self.words)} words; "
                f"got {others!r}."
            )
