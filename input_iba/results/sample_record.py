"""What a run reports about one sample, as a line of its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from input_iba.records import Belief, held_behind


@dataclass(frozen=True)
class SampleRecord:
    """What a run reports about one sample.

    Attributes:
        reason: Why it failed; empty when done.
        path: Where the sample came from.
        target: Class index explained; None for other questions and for failures.
        class_name: Name of that class, or what was asked, in words.
        target_probability: How well the target is met on the unchanged input, if that is known.
        prediction: Class index with the highest logit, where there are classes.
        warning: Why the map is no evidence for what was asked; empty where it is.
        verdict: Whether the map may be believed, 'green', 'amber' or 'red', or 'not checked'; empty
            of earlier releases.
        verdict_reason: Why.
        checks: What was checked, by its name; see `records.Checks`.
        top_classes: Name and probability of the five most probable classes, best first.
        map_bits: Sum of the map, the bits in all; None of other methods.
        feature_peak: Largest value of the feature mask in bits per pixel, or None.
        peak: By what the input mask is to be multiplied for the method's own units, or None.
        seconds: Wall time per stage.
        files: From kind (`map`, `input_mask`, …) to the path inside the work directory.
        losses: Loss history per stage and part, rounded for reading.
        seed: Seed of the run.
    """

    id: str
    status: Literal["done", "failed"]
    reason: str = ""
    path: str = ""
    target: int | None = None
    class_name: str = ""
    target_probability: float | None = None
    prediction: int | None = None
    predicted_class_name: str = ""
    prediction_probability: float | None = None
    top_classes: list[list[str | float]] = field(default_factory=list)
    warning: str = ""
    verdict: str = ""
    verdict_reason: str = ""
    checks: Mapping[str, float | None] = field(default_factory=dict)
    map_bits: float | None = None
    feature_peak: float | None = None
    peak: float | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    losses: Mapping[str, list[float | None]] = field(default_factory=dict)
    seed: int = 0

    @property
    def map_file(self) -> str:
        """Return the file of the map: of other methods and earlier releases the input mask's."""
        return self.files.get("map", self.files.get("input_mask", ""))

    @property
    def held(self) -> float:
        """Return how well the target is met behind the bottleneck, where there is one; else 1."""
        return held_behind(self.target_probability, self.losses)

    @property
    def believed(self) -> tuple[str, str]:
        """Return whether the map may be believed, as a colour and a line; both empty if unknown."""
        if not self.verdict:
            return "", ""
        return self.verdict, Belief(self.verdict, self.verdict_reason).line

    def classes(self) -> list[tuple[str, float]]:
        """Return the most probable classes with their probabilities, and the explained one."""
        found = [(str(name), float(share)) for name, share in self.top_classes]
        told = self.target is None or self.class_name in [name for name, _ in found]
        if found and not told and self.target_probability is not None:
            found.append((self.class_name, self.target_probability))
        return found
