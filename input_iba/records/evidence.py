"""How far a map is evidence for what was asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from input_iba.drawing.words import percent

HARDLY = 0.1
"""Probability behind the bottleneck below which a map is no evidence for its target."""


NOT_MET = 0.01
"""How well a target is met on the unchanged input, below which it is not met at all."""

STILL = 0.01
"""Nats by which a loss that does not react changes at most while noise is put in."""


def held_behind(met: float | None, losses: Mapping[str, Any]) -> float:
    """Return how well the target is met behind the input bottleneck, from a record's losses.

    It is 1 where that is not known, for a loss of the caller's own, and of methods without a
    bottleneck. `met` says how well it is met on the unchanged input.
    """
    last = losses["input_iba/target"][-1] if "input_iba/target" in losses else None
    if last is None or met is None or math.isnan(met):
        return 1.0
    return math.exp(-float(last))


def shown_at(held: float) -> float:
    """Return how strongly a map is shown, of which `held` is met: in full from a half on."""
    return min(1.0, 2 * held)


def warning_of(met: float | None, losses: Mapping[str, Any]) -> str:
    """Return why a map is no evidence for what was asked, in words; empty where it is.

    The target is not met on the unchanged input, or hardly behind the bottleneck; or its loss is
    the same whatever noise is put in, so that nothing was looked for.
    """
    if met is not None and met < NOT_MET:
        return f"not met: {percent(met)} on the unchanged input"
    held = held_behind(met, losses)
    if held < HARDLY:
        return f"hardly any evidence: behind the bottleneck {percent(held)}"
    stages = [losses[name] for name in STAGES if name in losses]
    parts = [float(value) for stage in stages for value in stage if value is not None]
    still = bool(parts) and max(parts) - min(parts) < STILL
    return "the target's loss does not react to noise" if still else ""


STAGES = ("feature_iba/target", "input_iba/target")
"""Loss histories of the target."""
