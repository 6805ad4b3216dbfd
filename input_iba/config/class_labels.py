"""Which of a classifier's labels the name of a class means."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

MAX_PREFIXED = 10
"""Most labels among which a beginning counts as a name: of 1,000, 'dog' would be 'dogsled'."""


def is_multi_label(classifier: nn.Module) -> bool:
    """Say whether a classifier's own configuration lets several classes be true together."""
    problem = getattr(getattr(classifier, "config", None), "problem_type", None)
    return problem == "multi_label_classification"


def match(names: Sequence[str], labels: Sequence[str]) -> dict[str, int]:
    """Find the logit that each name means.

    A name means the label that it equals, in upper or lower case, with underscores for spaces; or
    one of the synonyms that commas part; or, among few labels, the only one that begins with it or
    that it begins with.

    Returns:
        Index by name, for the names that mean one label which no other name means.

    >>> match(["neg", "pos"], ["POSITIVE", "NEGATIVE"])
    {'neg': 1, 'pos': 0}
    >>> match(["neg", "pos"], ["1 star", "2 stars"])
    {}
    """
    found = {name: _meant(name, labels) for name in names}
    indices = list(found.values())
    return {
        name: index
        for name, index in found.items()
        if index is not None and indices.count(index) == 1
    }


def _meant(name: str, labels: Sequence[str]) -> int | None:
    """Return the index of the only label that a name can mean, or None."""
    wanted = _plain(name)
    equal = [
        i
        for i, label in enumerate(labels)
        if wanted in (_plain(label), *map(_plain, label.split(",")))
    ]
    if not equal and wanted and len(labels) <= MAX_PREFIXED:
        plain = [_plain(label) for label in labels]
        equal = [i for i, other in enumerate(plain) if other and _begins(wanted, other)]
    return equal[0] if len(equal) == 1 else None


def _begins(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").strip().casefold()
