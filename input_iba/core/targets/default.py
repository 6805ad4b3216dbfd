"""The question that what a model returns suggests, where the caller asks none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from input_iba.core.outputs import LOGITS, parts_of
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
    if isinstance(returned, Sequence) and all(isinstance(one, Mapping) for one in returned):
        return BoxTarget()
    parts = parts_of(returned)
    if "pred_boxes" in parts:
        return BoxTarget()
    if "start_logits" in parts:
        return SpanTarget()
    logits = returned if isinstance(returned, Tensor) else parts.get(LOGITS, parts.get("out"))
    if isinstance(logits, Tensor):
        if logits.ndim == inputs.ndim > 3:
            return SegmentTarget()
        return TokenTarget() if logits.ndim == inputs.ndim == 3 else None
    return EmbeddingTarget() if {*EMBEDDINGS, STATES} & set(parts) else None
