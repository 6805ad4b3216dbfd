"""What was found: an explanation of one sample, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

from torch import Tensor

from input_iba.drawing.card import Drawn, Words
from input_iba.drawing.heat_map import Pixels, heat_of, overlay, rendered
from input_iba.drawing.signals import coloured_signal
from input_iba.drawing.volumes import hottest, sliced, slices
from input_iba.drawing.words import percent
from input_iba.records.checks import Belief, Checks, belief
from input_iba.records.evidence import held_behind, shown_at, warning_of
from input_iba.records.samples import Sample


@dataclass(frozen=True, kw_only=True)
class Explanation(Drawn):
    """What one method found about one sample.

    Attributes:
        target: Class index that was explained, or None for a loss of the caller's own.
        asked: What was asked where that is not one class, in words.
        prediction: The most probable class on the unchanged input; None where there are no classes.
        target_probability: How well the target is met on the unchanged input, of a class its
            probability; NaN where that is not known.
        top: Class index and probability of the five likeliest classes, best first.
        input_mask: (H, W), or (T,) or (D, H, W), on the CPU, in [0, 1]; in [−1, 1] of signed
            methods.
        map: The answer, of the same shape; of a method without stages the input mask.
        peak: By what the input mask is to be multiplied for the method's own units.
        share: Of one of several inputs, its map's peak as a share of the highest of all; else 1.
        losses: Loss history per stage and part, each (steps,).
        seconds: Wall time per stage, this sample's share of its batch.
        checks: What was tried on the map afterwards; None where nothing was.
        picture: What to look at beside the map, uint8 (3, H, W), or None; of volumes uint8
            (3, D, H, W), and of signals their values, (C, T).
        words: Of a text, each word with its value; `gaps` stand before, between and behind them.
    """

    id: str
    target: int | None
    prediction: int | None
    target_probability: float
    prediction_probability: float
    input_mask: Tensor
    map: Tensor
    asked: str = ""
    peak: float = 1.0
    share: float = 1.0
    top: tuple[tuple[int, float], ...] = ()
    losses: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    checks: Checks | None = None
    picture: Tensor | None = field(default=None, repr=False)
    words: Words = field(default=(), repr=False)
    gaps: Sequence[str] = field(default=(), repr=False)
    class_names: Sequence[str] = field(default=(), repr=False)

    merge: ClassVar[str] = ""
    """How the map's values of a word's pieces become one; empty for as other masks' do."""

    @property
    def of_words(self) -> bool:
        """Whether the map is over the words of a text; over a signal, there is one to look at."""
        return self.map.ndim == 1 and self.picture is None

    @property
    def bits(self) -> float | None:
        """Return the sum of the map, where it is in bits."""
        return None

    @property
    def held(self) -> float:
        """Return how well the target is met behind the bottleneck, where there is one; else 1."""
        return held_behind(self.target_probability, self.losses)

    @property
    def warning(self) -> str:
        """Return why the map is no evidence for what was asked; empty where it is."""
        return warning_of(self.target_probability, self.losses)

    @property
    def belief(self) -> Belief:
        """Return whether the map may be believed, and why."""
        return belief(self.target_probability, self.losses, self.checks)

    def believed(self) -> tuple[str, str]:
        """Return the same as a colour and a line."""
        found = self.belief
        return found.verdict, found.line

    @property
    def heat(self) -> float:
        """Return by what the map's heat is multiplied where it is laid over the input."""
        return shown_at(self.held) * self.share

    def class_name(self, index: int) -> str:
        """Return the name of a class, or its number where it has no name."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"

    def name(self) -> str:
        """Return what was explained, in words."""
        if self.target is None:
            return self.asked or "a loss of the caller's own"
        return self.class_name(self.target)

    def title(self) -> str:
        """Return what was explained, how well it is met, what is preferred, the time."""
        name = self.name()
        asked = self.target is not None or self.asked
        known = asked and not math.isnan(self.target_probability)
        said = [f"{name}: {percent(self.target_probability)}" if known else name]
        if self.prediction not in (None, self.target):
            preferred = percent(self.prediction_probability)
            said.append(f"predicted: {self.class_name(self.prediction)} {preferred}")
        if self.bits is not None:
            said.append(f"{self.bits:.3g} bits")
        if self.warning:
            said.append(self.warning)
        if self.seconds:
            said.append(f"{sum(self.seconds.values()):.1f} s")
        return " · ".join(said)

    def images(self) -> dict[str, Pixels]:
        """Return what was explained, its map over it, the masks: (H, W, 3), uint8, by caption.

        Of signals each mask is a coloured line; of volumes there are the most informative slices.
        """
        masks = {name: mask.numpy() for name, mask in self._masks().items()}
        if self.map.ndim == 1:
            if self.picture is None:
                return {}
            signal, heats = self.picture.numpy(), {"map": self.heat}
            return {
                name: coloured_signal(signal, m, heats.get(name, 1)) for name, m in masks.items()
            }
        if self.map.ndim == 3:
            return sliced(self._volume(), self.map.numpy(), masks, self.heat)
        found: dict[str, Pixels] = {}
        if self.picture is not None:
            found["input"] = self.picture.permute(1, 2, 0).contiguous().numpy()
            found["overlay"] = overlay(found["input"], self.heat * heat_of(self.map.numpy()))
        return found | {name: rendered(mask) for name, mask in masks.items()}

    def series(self) -> tuple[dict[str, Pixels], int]:
        """Return the most informative slices of a volume, its map over them, and the hottest."""
        if self.map.ndim != 3:
            return {}, 0
        mask = self.map.numpy()
        return slices(self._volume(), mask, self.heat), hottest(mask)

    def _volume(self) -> Pixels | None:
        if self.picture is None:
            return None
        found: Pixels = self.picture.movedim(0, -1).contiguous().numpy()
        return found

    def _masks(self) -> dict[str, Tensor]:
        return {"input mask": self.input_mask}

    def coloured_words(self) -> Words:
        """Return the words with their values; of a text whose words are not known, numbers."""
        numbered = enumerate(self.map.tolist()) if self.of_words else []
        return self.words or [(str(i), value) for i, value in numbered]


@dataclass(frozen=True, kw_only=True)
class Attribution(Explanation):
    """What one run of the three stages found about one sample.

    Attributes:
        map: The answer, (H, W), bits per pixel; of text (T,), per token.
        feature_mask: Saliency of the feature bottleneck, (H, W), bits per pixel.
        feature_capacity: The same at the layer's own resolution (h, w), bits per position.
        prior_mask: Mean over channels of the prior's mask λ_G, (H, W), in [0, 1].
        inputs: Of several inputs masked together one record each, whose maps have their shapes;
            those of this one are over all values, one behind the other, (N,).
    """

    feature_mask: Tensor
    feature_capacity: Tensor
    prior_mask: Tensor
    inputs: tuple[Attribution, ...] = field(default=(), repr=False)

    merge: ClassVar[str] = "sum"

    @property
    def bits(self) -> float:
        """Return the bits in all: the sum of the map."""
        return float(self.map.sum())

    def images(self) -> dict[str, Pixels]:
        """Return the images, by input where there are several."""
        if not self.inputs:
            return super().images()
        return {
            f"input {i}: {caption}": pixels
            for i, one in enumerate(self.inputs, start=1)
            for caption, pixels in one.images().items()
            if not caption.startswith(("feature mask", "prior"))  # the same everywhere
        }

    def _masks(self) -> dict[str, Tensor]:
        behind = {"feature mask": self.feature_mask, "prior": self.prior_mask}
        return {"map": self.map, **super()._masks(), **behind}


Kind = TypeVar("Kind", bound=Explanation)


def described(
    record: Kind, sample: Sample | None, class_names: Sequence[str] = (), merge: str = "mean"
) -> Kind:
    """Return a record that shows its sample, words merged by one of `MERGES`, and names classes."""
    look = {} if sample is None else sample.look(record.map, record.merge or merge)
    return replace(record, class_names=tuple(class_names), **look)


@dataclass(frozen=True)
class Failure:
    """A sample that could not be explained, and why, in a sentence for the user."""

    id: str
    reason: str
