"""Questions about detections: why is this object found here?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torchvision.ops import box_convert, box_iou

from input_iba.core.outputs import is_detections, parts_of
from input_iba.core.targets.base import Facts, Question, Target, class_index, class_name
from input_iba.core.targets.dense import box_of
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError
from input_iba.registry import TARGETS
from input_iba.settings import setting

LEAST = 1e-3
"""Overlap and score below which a detection counts as no match at all."""

EDGES = 4
"""Numbers of a box, in front of the scores of its classes."""


@TARGETS.register_module()
@dataclass(frozen=True)
class BoxTarget(Target):
    """Why is there an object of this class in this box?

    It is met by the best-matching detection: its score for the class times the overlap (IoU) of its
    box and the one asked about. Of models of `transformers` (DETR, YOLOS) all queries count, of
    torchvision's the detections that are left after suppression.
    """

    type: ClassVar = "BoxTarget"
    asks: ClassVar = "label"

    box: tuple[float, ...] | None = setting(
        None, "(left, top, right, bottom) in pixels of the input; None for the surest detection"
    )
    label: int | str | None = setting(
        None, "class by index or name; None for that of the surest detection, at the box if given"
    )

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return boxes in pixels with the logarithms of their classes' scores, (B, n, 4 + classes).

        Of torchvision's models a detection has a score for its own class alone; n is that of the
        input with most of them.
        """
        if is_detections(returned):
            return _after_suppression(returned, inputs)
        parts = parts_of(returned)
        logits, boxes = parts.get("logits"), parts.get("pred_boxes")
        if logits is None or boxes is None:
            raise AttributionError(
                f"{self.type} expects detections: a list of dicts with boxes, labels and scores, "
                "as torchvision's models return, or logits (B, n, classes) and pred_boxes (B, n, "
                f"4), as those of transformers do; the model returns {type(returned).__name__} "
                f"with {', '.join(map(str, parts)) or 'no parts'}."
            )
        height, width = inputs.shape[-2:]
        size = boxes.new_tensor([width, height, width, height])
        corners = box_convert(boxes, "cxcywh", "xyxy") * size
        # The last class stands for no object.
        return torch.cat([corners, logits.log_softmax(-1)[..., :-1]], -1)

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a box and a class, by the detections (n, 4 + classes)."""
        scores = answer[:, EDGES:]
        label = None
        if self.label is not None:
            known = max(scores.shape[-1], len(facts.class_names))
            label = class_index(self.label, known, facts.class_names)
        if self.box is None:
            edges, label = self._surest(answer, label)
        else:
            edges = answer.new_tensor(box_of(self.box, "target.box"))
            if label is None:
                met = scores + _overlap(answer, edges)[:, None]
                label = int(met.amax(0).argmax()) if met.numel() else 0

        def loss(found: Tensor) -> Tensor:
            return -_best(found, edges, label)

        place = ", ".join(f"{edge:.0f}" for edge in edges.tolist())
        return Question(loss, f"{class_name(label, facts.class_names)} in box ({place})")

    def _surest(self, answer: Tensor, label: int | None) -> tuple[Tensor, int]:
        """Return the box of the surest detection, of a class if one is given, and its class."""
        scores = answer[:, EDGES:]
        if label is not None:
            scores = scores[:, label : label + 1]
        if not scores.numel():
            raise AttributionError(
                "The model detects nothing in this input, so there is no box to ask about. Give "
                "target.box and target.label."
            )
        place = divmod(int(scores.argmax()), scores.shape[1])
        return answer[place[0], :EDGES].detach(), place[1] if label is None else label


def _overlap(found: Tensor, edges: Tensor) -> Tensor:
    """Return the logarithm of the IoU of the detections (n, 4 + classes) with a box, (n,)."""
    overlap: Tensor = box_iou(found[:, :EDGES], edges[None])[:, 0]
    return overlap.clamp_min(LEAST).log()


def _best(found: Tensor, edges: Tensor, label: int) -> Tensor:
    """Return how well the best detection of each row matches, as a logarithm: (K, n, …) to (K,)."""
    rows, count, width = found.shape
    nothing = 2 * torch.tensor(LEAST).log().to(found) + 0 * found.sum((1, 2))
    if not count or EDGES + label >= width:
        return nothing
    match = _overlap(found.flatten(0, 1), edges).reshape(rows, count) + found[..., EDGES + label]
    return torch.maximum(match.amax(1), nothing)


def _after_suppression(returned: Sequence[Mapping[str, Tensor]], inputs: Tensor) -> Tensor:
    """Return what `BoxTarget.answer` does, of detections per image."""
    most = max((int(one["labels"].max()) + 1 for one in returned if len(one["labels"])), default=0)
    rows = []
    for one in returned:
        count = len(one["boxes"])
        scores = inputs.new_full((count, most), LEAST * LEAST).to(one["scores"])
        if count:
            scores = scores.scatter(1, one["labels"][:, None], one["scores"][:, None])
        rows.append(torch.cat([one["boxes"], scores.clamp_min(LEAST * LEAST).log()], 1))
    # What pads has an empty box, which overlaps with nothing.
    return pad_sequence(rows, batch_first=True, padding_value=0.0)
