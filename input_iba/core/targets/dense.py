"""Questions about dense logits: why is this region of this class?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.targets.base import Facts, Question, Target, class_index, class_name, find_part
from input_iba.core.targets.probabilities import class_logits, log_probabilities
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import ConfigError
from input_iba.registry import TARGETS
from input_iba.settings import setting

BACKGROUND = ("background", "__background__", "unlabeled")
"""What the first class of a segmentation is called where it is what is left."""

RESIZED = {1: "linear", 2: "bilinear", 3: "trilinear"}


@TARGETS.register_module()
@dataclass(frozen=True)
class SegmentTarget(Target):
    """Why is this segment of this class? Its loss is the mean cross-entropy over the segment.

    So it is met by the geometric mean of the class's probability there. The answer is dense logits
    (B, classes, h, w), at whatever resolution.
    """

    type: ClassVar = "SegmentTarget"
    asks: ClassVar = "label"

    label: int | str | None = setting(
        None,
        "class by index or name; None for the data set's, or else the one with the largest "
        "predicted region, background left out",
    )
    mask: Any = setting(
        None,
        "which pixels of the input are asked about: a tensor (H, W), in Python only, or (left, "
        "top, right, bottom) in pixels; None for where the class is predicted",
    )

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return the dense logits, (B, classes, h, w)."""
        what = "dense logits (B, classes, h, w)"
        names = ("logits", "out")
        return find_part(returned, len(inputs), names, inputs.ndim, what, self.type)

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a class and a region, by dense logits (classes, h, w)."""
        predicted = class_logits(answer.movedim(0, -1)).argmax(-1)
        label = self._label(predicted, len(answer), facts)
        name = class_name(label, facts.class_names)
        if self.mask is None:
            weights = (predicted == label).to(answer.dtype)
            named = f"segment of {name}"
            if not bool(weights.any()):  # then the answer is that it is not met anywhere
                weights, named = torch.ones_like(weights), f"{name} anywhere"
        else:
            weights, named = self._region(answer, facts.size), f"{name} in a region"
        weights = weights / weights.sum()

        def loss(logits: Tensor) -> Tensor:
            scores = log_probabilities(logits.movedim(1, -1), facts.use_softmax)[..., label]
            return -(scores * weights).flatten(1).sum(1)

        return Question(loss, named)

    def _label(self, predicted: Tensor, classes: int, facts: Facts) -> int:
        if self.label is not None:
            return class_index(self.label, classes, facts.class_names)
        counts = torch.bincount(predicted.flatten(), minlength=max(classes, 2))
        first = facts.class_names[0].lower() if facts.class_names else BACKGROUND[0]
        if first in BACKGROUND and bool(counts[1:].any()):
            counts[0] = 0
        return int(counts.argmax())

    def _region(self, answer: Tensor, size: tuple[int, ...]) -> Tensor:
        """Return how much of each position of the logits lies in the mask, (h, w), in [0, 1]."""
        if isinstance(self.mask, Tensor):
            mask = self.mask.to(answer)
            if mask.shape != tuple(size):
                raise ConfigError(
                    f"target.mask is of shape {tuple(mask.shape)}; expected that of the input, "
                    f"{tuple(size)}."
                )
        else:
            left, top, right, bottom = box_of(self.mask, "target.mask")
            mask = answer.new_zeros(size)
            mask[round(top) : round(bottom), round(left) : round(right)] = 1
        if not bool(mask.any()):
            raise ConfigError(f"target.mask marks no pixel of an input of {tuple(size)}.")
        spatial = answer.shape[1:]
        pooled = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
        if all(small <= large for small, large in zip(spatial, size, strict=True)):
            found: Tensor = pooled[len(spatial)](mask[None, None], spatial)  # type: ignore[arg-type]
        else:
            found = F.interpolate(mask[None, None], spatial, mode=RESIZED[len(spatial)])
        return found[0, 0]


def box_of(value: Any, where: str) -> tuple[float, float, float, float]:
    """Return a box as (left, top, right, bottom).

    Raises:
        ConfigError: It is something else, or empty.
    """
    try:
        left, top, right, bottom = (float(edge) for edge in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{where} is a box (left, top, right, bottom) in pixels; got {value!r:.80}."
        ) from error
    if not (left < right and top < bottom):
        raise ConfigError(
            f"{where} is empty: expected left < right and top < bottom; got {value!r:.80}."
        )
    return left, top, right, bottom
