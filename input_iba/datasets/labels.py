"""Labels that stand beside samples, as classes: names, or whole numbers that are indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from input_iba.datasets.class_index import Classes
from input_iba.errors import ConfigError

MAX_DIGITS = 5
"""Whole numbers of more digits are names of classes, not their indices."""


def label_of(cell: str) -> str:
    """Return a label as its class is called: '01' is '1'."""
    name = cell.strip()
    return str(int(name)) if name.isdecimal() and len(name) < 100 else name


def classes_of(labels: Sequence[str]) -> list[str]:
    """Return the names of the classes, by index.

    >>> classes_of(["2", "0", "2"]), classes_of(["sad", "gay", "", "sad"])
    (['0', '1', '2'], ['gay', 'sad'])
    """
    found = sorted({label for label in labels if label})
    if found and all(label.isdecimal() and len(label) <= MAX_DIGITS for label in found):
        return [str(index) for index in range(max(map(int, found)) + 1)]
    return found


class Labelled(NamedTuple):
    """The classes of some samples.

    Attributes:
        names: By class index; None where there are no classes.
        targets: Class index of each sample, None where it has none.
        indices_given: Whether the labels say which class has which index.
        wrong: By a sample's number, why its label is no class.
    """

    names: list[str] | None
    targets: list[int | None]
    indices_given: bool
    wrong: dict[int, str]


def labelled(labels: Sequence[str], known: Classes | None) -> Labelled:
    """Return the classes that labels mean, of those known, or else of the labels themselves."""
    if known is None:
        names = classes_of(labels)
        place = {name: index for index, name in enumerate(names)}
        numbers = bool(names) and names == [str(i) for i in range(len(names))]
        return Labelled(names or None, [place.get(label) for label in labels], numbers, {})
    targets, wrong = list[int | None](), dict[int, str]()
    for number, label in enumerate(labels):
        target = None
        if label:
            try:
                target = known.find(label)
            except ConfigError as error:
                wrong[number] = str(error)
        targets.append(target)
    return Labelled(list(known.names), targets, True, wrong)
