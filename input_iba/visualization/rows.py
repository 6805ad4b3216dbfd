"""One sample as the table, the page and the contact sheet show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """What is shown of one sample.

    Attributes:
        id: The sample's id.
        class_name: Name of the class that was explained.
        probability: Probability of that class, or None when there is none.
        predicted_class_name: Name of the class that the classifier prefers.
        predicted_probability: Its probability, or None.
        seconds: Wall time per stage.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        files: From kind to a path relative to the page. Kinds that are shown: `photograph`,
            `overlay`, `feature_mask_png`, `feature_mask_picture`, `input_mask_png`,
            `input_mask_picture`, `input_mask`, `feature_mask`, `prior_mask`; of a text
            `highlights`.
        failure: Why the sample failed; empty when it is done.
        words: Of a text, each word with the value of its input mask.
    """

    id: str
    class_name: str = ""
    probability: float | None = None
    predicted_class_name: str = ""
    predicted_probability: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    feature_peak: float | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    words: Sequence[tuple[str, float]] = ()

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages together."""
        return sum(self.seconds.values())


def printable(text: str) -> str:
    r"""Escape what a stream or page may not hold: control characters, undecodable bytes.

    >>> print(printable("a\nb"))
    a\nb
    """
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def percent(probability: float | None) -> str:
    """Return a probability for reading.

    >>> percent(0.98765), percent(1.0), percent(0.00002), percent(None)
    ('98.8 %', '100 %', '< 0.1 %', '–')
    """
    if probability is None:
        return "–"
    if 0 < probability < 0.001:
        return "< 0.1 %"
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    return f"{100 * probability:.3g} %"
