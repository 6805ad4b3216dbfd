"""What samples that were named one by one are explained for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from input_iba.datasets.class_index import Classes
from input_iba.errors import ConfigError


class Asked(NamedTuple):
    """A sample with what it is explained for.

    Attributes:
        id: The sample's name, with its target where there are several.
        place: Which of the things that were named it is.
        target: Class index, or None for the class that the classifier predicts.
    """

    id: str
    place: int
    target: int | None


def for_every_target(
    ids: Sequence[str], classes: Classes | None, targets: Sequence[int | str]
) -> list[Asked]:
    """Return each of some things once for every target.

    Args:
        ids: Their names.
        classes: The classes that there are; None where they have no names.
        targets: Class indices, names or ids; none for the class that is predicted.

    Raises:
        ConfigError: A class is unknown.

    >>> [asked.id for asked in for_every_target(["a", "b"], Classes(["cat", "dog"]), [1, "cat"])]
    ['a_dog', 'a_cat', 'b_dog', 'b_cat']
    """
    indices = find_targets(classes, targets)
    every: list[int | None] = [*indices] or [None]
    return [
        Asked(id_ if len(indices) < 2 else f"{id_}_{_label(classes, target)}", place, target)
        for place, id_ in enumerate(ids)
        for target in every
    ]


def find_targets(classes: Classes | None, targets: Sequence[int | str]) -> list[int]:
    """Return the indices of some classes, each once.

    Raises:
        ConfigError: A class is unknown, or a name is given where classes have none.
    """
    if isinstance(targets, str | int):
        targets = [targets]
    if classes is not None:
        return list(dict.fromkeys(classes.find(target) for target in targets))
    named = [target for target in targets if not str(target).isdecimal()]
    if named:
        raise ConfigError(
            f"Target {named[0]!r}: the names of this classifier's classes are not known. Give the "
            "class index, or a file of names (--classes)."
        )
    return list(dict.fromkeys(int(target) for target in targets))


def _label(classes: Classes | None, index: int | None) -> str:
    """Return the name of a class, or its index where the name says too little."""
    if classes is None or index is None:
        return str(index)
    name = classes.names[index]
    return str(index) if list(classes.names).count(name) > 1 else name
