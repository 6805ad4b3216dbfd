"""Explain inputs of a model in one call."""

from __future__ import annotations

from typing import Any

from torch import nn

from input_iba.attribution.facade import InputIBA
from input_iba.attribution.found import Attributions
from input_iba.records import Targets

OF_ATTRIBUTE = ("seed", "ids", "on_error", "progress")
"""Settings of a call, not of the object."""


def explain(
    model: nn.Module,
    inputs: Any,
    target: Targets | None = None,
    *,
    data: Any = None,
    **settings: Any,
) -> Attributions:
    """Explain inputs of a model in one call.

    Args:
        model: As of `InputIBA`.
        inputs: As of `InputIBA.attribute`.
        target: Likewise.
        data: Usual inputs, as of `InputIBA.fit`; None for crops, flips and shifts of the inputs.
        settings: Further arguments of `InputIBA` (layer, preset, tokenizer, transform, …) and of
            `InputIBA.attribute` (seed, ids, on_error, progress).

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))
    >>> explain(net, torch.randn(3, 16, 16), layer="1").maps.shape
    torch.Size([1, 1, 16, 16])
    """
    asked = {key: settings.pop(key) for key in OF_ATTRIBUTE if key in settings}
    made = InputIBA(model, **settings)
    if data is not None:
        made.fit(data)
    return made.attribute(inputs, target, **asked)
