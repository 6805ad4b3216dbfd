"""The question that what a model returns suggests, where the caller asks none."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from input_iba.core.outputs import LOGITS, is_detections, parts_of
from input_iba.core.targets.base import Target
from input_iba.core.targets.boxes import BoxTarget
from input_iba.core.targets.dense import SegmentTarget
from input_iba.core.targets.tokens import SpanTarget, TokenTarget
from input_iba.core.targets.values import EMBEDDINGS, STATES, EmbeddingTarget


def default_target(returned: Any, inputs: Tensor) -> Target | None:
    """Return the question that a model's output suggests; None where that is the predicted class.

    Of detections the surest one, of dense logits the largest region, of an answer's beginning and
    end the most probable ones, of logits per token those of the last, of an encoder without logits
    the input's own embedding.

    Args:
        returned: What the model returned for inputs (B, …).
        inputs: Images (B, C, H, W), or embeddings (B, T, E).
    """
    parts = parts_of(returned)
    if is_detections(returned) or "pred_boxes" in parts:
        return BoxTarget()
    if "start_logits" in parts:
        return SpanTarget()
    logits = returned if isinstance(returned, Tensor) else parts.get(LOGITS, parts.get("out"))
    if isinstance(logits, Tensor):
        if logits.ndim == inputs.ndim > 3:
            return SegmentTarget()
        return TokenTarget() if logits.ndim == inputs.ndim == 3 else None
    known = {*EMBEDDINGS, STATES}
    # What else has a row per input may be logits under a name of the model's own.
    others = (part for name, part in parts.items() if name not in known)
    logits_like = any(isinstance(part, Tensor) and part.ndim == 2 for part in others)
    return EmbeddingTarget() if known & set(parts) and not logits_like else None
