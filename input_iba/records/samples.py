"""What is explained: samples, targets, and the statistics of a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from input_iba.drawing.words import Shown, split_at

TargetLoss = Callable[[Tensor], Tensor]
"""Maps logits (B, classes), or other answers (B, …), to one loss per row (B,)."""


class AsksOutput(Protocol):
    """A question about whatever a model returns; see `core.targets.Target`."""

    def answer(self, returned: Any, inputs: Tensor, tokens: Any = ...) -> Tensor:
        """Return (B, …) of what the model returned for inputs (B, …)."""

    def settle(self, answer: Tensor, facts: Any) -> Any:
        """Return what is asked of one input, from the answer to it unchanged."""


Target = int | str | TargetLoss | AsksOutput
"""What to explain of one sample: a class by its index or name, a question, or a loss."""

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
