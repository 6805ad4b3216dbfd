"""One sample as the table and the page show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from input_iba.drawing.words import Shown, percent, printable

__all__ = ["Row", "percent", "printable"]


@dataclass(frozen=True)
class Row:
    """What is shown of one sample.

    Attributes:
        id: The sample's id.
        class_name: Name of the class that was explained.
        probability: Probability of that class, or None when there is none.
        predicted_class_name: Name of the class that the classifier prefers.
        predicted_probability: Its probability, or None.
        classes: Name and probability of the most probable classes, best first, and of the one
            that was explained.
        seconds: Wall time per stage.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        files: From kind to a path relative to the page. Kinds that are shown: `photograph`,
            `overlay`, `heat`, `feature_mask_png`, `feature_mask_picture`, `prior_mask_picture`,
            `input_mask_png`, `input_mask_picture`, `input_mask`, `feature_mask`, `prior_mask`; of
            a text `highlights`.
        failure: Why the sample failed; empty when it is done.
        text: Of a text, its T words, and what stands around them.
        word_masks: Of a text, from kind of mask to T values, `input_mask` first.
        losses: Loss history per stage and part, as `stage/part`.
        scores: From metric and key to what an evaluation found.
    """

    id: str
    class_name: str = ""
    probability: float | None = None
    predicted_class_name: str = ""
    predicted_probability: float | None = None
    classes: Sequence[tuple[str, float]] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    feature_peak: float | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    text: Shown = field(default=Shown(()))
    word_masks: Mapping[str, Sequence[float]] = field(default_factory=dict)
    losses: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages together."""
        return sum(self.seconds.values())
