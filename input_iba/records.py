"""The frozen dataclasses that the parts of the toolkit hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

import torch
from torch import Tensor

from input_iba.drawing.card import Drawn, Words
from input_iba.drawing.heat_map import Pixels, heat_of, overlay, rendered
from input_iba.drawing.words import Shown, percent, split_at

TargetLoss = Callable[[Tensor], Tensor]
"""Maps logits (B, classes) to one loss per row (B,)."""

Target = int | str | TargetLoss
"""What to explain of one sample: a class by its index or name, or a loss of the logits."""

Targets = Tensor | Target | Sequence[Target | None]
"""One target for all samples, or one each, None for the predicted class; or one-hot rows."""

MERGES: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": torch.mean,
    "max": torch.max,
    "sum": torch.sum,
}
"""How the values of a word's pieces become one."""


@dataclass(frozen=True)
class Sample:
    """One input with what is known about it.

    Attributes:
        input: What the classifier is given: an image (C, H, W), or token ids (T,), int64.
        target: Class index to explain, or None for the class that the classifier predicts.
        path: Where it comes from, for messages.
    """

    id: str
    input: Tensor
    target: int | None = None
    path: str = ""

    @property
    def map_size(self) -> tuple[int, ...]:
        """Return the shape of its maps: (H, W), or (W,) of a text of W words."""
        return tuple(self.input.shape[1:])

    def per_unit(self, mask: Tensor, merge: str = "mean") -> Tensor:
        """Return a mask with one value per pixel, or per word, made by one of `MERGES`."""
        return mask

    def look(self, mask: Tensor, merge: str = "mean") -> dict[str, Any]:
        """Return what an explanation shows beside a mask of this sample, by its field."""
        return {}


@dataclass(frozen=True)
class ImageSample(Sample):
    """An image.

    Attributes:
        image: The image before normalisation, uint8 (3, H, W), for people to look at.
        boxes: Object boxes (n, 4) as x1, y1, x2, y2 in pixels of `input`, or None.
        region: Which pixels decide the class, (H, W), bool, where that is known; or None.
    """

    image: Tensor = field(kw_only=True)
    boxes: Tensor | None = field(default=None, kw_only=True)
    region: Tensor | None = field(default=None, kw_only=True)

    def look(self, mask: Tensor, merge: str = "mean") -> dict[str, Any]:
        """Return the image."""
        return {"picture": self.image}


@dataclass(frozen=True)
class TextSample(Sample):
    """A text.

    Attributes:
        tokens: Its words as they stand in the text, also those that the vocabulary lacks.
        words: Number of the word of each of the T ids, −1 for none; None if every id is a word.
        pad: Id that fills up shorter texts in a batch.
        mask: Id that can stand for any word: that of a mask token, or else of unknown words; None
            where there is none.
        text: What was read, as it stands.
        spans: First and last character (exclusive) of every word in it, ascending, if known.
        evidence: Whether people marked each word as evidence of the text's class; None where
            nobody was asked.
    """

    tokens: tuple[str, ...] = field(kw_only=True)
    words: tuple[int, ...] | None = field(default=None, kw_only=True)
    pad: int = field(default=1, kw_only=True)
    mask: int | None = field(default=None, kw_only=True)
    text: str = field(default="", kw_only=True)
    spans: tuple[tuple[int, int], ...] | None = field(default=None, kw_only=True)
    evidence: tuple[bool, ...] | None = field(default=None, kw_only=True)

    @property
    def shown(self) -> Shown:
        """Return the words as they stand in the text, and what stands around them."""
        return Shown(self.tokens) if self.spans is None else split_at(self.text, self.spans)

    @property
    def map_size(self) -> tuple[int, ...]:
        """Return the number of words."""
        return (len(self.tokens),)

    def per_unit(self, mask: Tensor, merge: str = "mean") -> Tensor:
        """Merge the values (T,) of every word's pieces, in the order of the words."""
        if self.words is None:
            return mask
        owner, count = torch.tensor(self.words), max(self.words) + 1
        return torch.stack([MERGES[merge](mask[owner == word]) for word in range(count)])

    def look(self, mask: Tensor, merge: str = "mean") -> dict[str, Any]:
        """Return every word with its value, and what stands between the words."""
        values = self.per_unit(mask, merge).tolist()
        return {"words": tuple(zip(self.shown.words, values, strict=True)), "gaps": self.shown.gaps}


@dataclass(frozen=True)
class FeatureStatistics:
    """What the chosen layer puts out over the estimation set, per element of one output (C, h, w).

    Attributes:
        mean: Mean μ.
        std: Standard deviation s (n − 1 in the denominator), not floored.
        nonzero: Share of the samples in which the element is not zero, in [0, 1].
        count: Number of samples seen; for text, of tokens.
    """

    mean: Tensor
    std: Tensor
    nonzero: Tensor
    count: int

    def to(self, device: torch.device, dtype: torch.dtype) -> FeatureStatistics:
        """Return the statistics on another device and in another floating-point type."""
        mean, std, nonzero = (v.to(device, dtype) for v in (self.mean, self.std, self.nonzero))
        return FeatureStatistics(mean, std, nonzero, self.count)


@dataclass(frozen=True, kw_only=True)
class Explanation(Drawn):
    """What one method found about one sample.

    Attributes:
        target: Class index that was explained, or None for a loss of the caller's own.
        prediction: The most probable class on the unchanged input.
        target_probability: Probability of `target`; NaN when `target` is None.
        top: Class index and probability of the five likeliest classes, best first.
        input_mask: (H, W), or (T,), on the CPU, in [0, 1]; in [−1, 1] of signed methods.
        map: The answer, of the same shape; of a method without stages the input mask.
        peak: By what the input mask is to be multiplied for the method's own units.
        losses: Loss history per stage and part, each (steps,).
        seconds: Wall time per stage, this sample's share of its batch.
        picture: What to look at beside the map, uint8 (3, H, W), or None.
        words: Of a text, each word with its value; `gaps` stand before, between and behind them.
    """

    id: str
    target: int | None
    prediction: int
    target_probability: float
    prediction_probability: float
    input_mask: Tensor
    map: Tensor
    peak: float = 1.0
    top: tuple[tuple[int, float], ...] = ()
    losses: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    picture: Tensor | None = field(default=None, repr=False)
    words: Words = field(default=(), repr=False)
    gaps: Sequence[str] = field(default=(), repr=False)
    class_names: Sequence[str] = field(default=(), repr=False)

    merge: ClassVar[str] = ""
    """How the map's values of a word's pieces become one; empty for as other masks' do."""

    @property
    def bits(self) -> float | None:
        """Return the sum of the map, where it is in bits."""
        return None

    def class_name(self, index: int) -> str:
        """Return the name of a class, or its number where it has no name."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"

    def title(self) -> str:
        """Return the class that was explained, its probability, what is preferred, the time."""
        said = ["a loss of the caller's own"]
        if self.target is not None:
            said = [f"{self.class_name(self.target)}: {percent(self.target_probability)}"]
        if self.target != self.prediction:
            preferred = percent(self.prediction_probability)
            said.append(f"predicted: {self.class_name(self.prediction)} {preferred}")
        if self.bits is not None:
            said.append(f"{self.bits:.3g} bits")
        if self.seconds:
            said.append(f"{sum(self.seconds.values()):.1f} s")
        return " · ".join(said)

    def images(self) -> dict[str, Pixels]:
        """Return what was explained, its map over it, the masks: (H, W, 3), uint8, by caption."""
        if self.map.ndim != 2:
            return {}
        found: dict[str, Pixels] = {}
        if self.picture is not None:
            found["input"] = self.picture.permute(1, 2, 0).contiguous().numpy()
            found["overlay"] = overlay(found["input"], heat_of(self.map.numpy()))
        return found | {name: rendered(mask.numpy()) for name, mask in self._masks().items()}

    def _masks(self) -> dict[str, Tensor]:
        return {"input mask": self.input_mask}

    def coloured_words(self) -> Words:
        """Return the words with their values; of a text whose words are not known, numbers."""
        numbered = [] if self.map.ndim != 1 else enumerate(self.map.tolist())
        return self.words or [(str(i), value) for i, value in numbered]


@dataclass(frozen=True, kw_only=True)
class Attribution(Explanation):
    """What one run of the three stages found about one sample.

    Attributes:
        map: The answer, (H, W), bits per pixel; of text (T,), per token.
        feature_mask: Saliency of the feature bottleneck, (H, W), bits per pixel.
        feature_capacity: The same at the layer's own resolution (h, w), bits per position.
        prior_mask: Mean over channels of the prior's mask λ_G, (H, W), in [0, 1].
    """

    feature_mask: Tensor
    feature_capacity: Tensor
    prior_mask: Tensor

    merge: ClassVar[str] = "sum"

    @property
    def bits(self) -> float:
        """Return the bits in all: the sum of the map."""
        return float(self.map.sum())

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
