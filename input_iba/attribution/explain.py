"""One call that explains a model's inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from input_iba.attribution.facade import InputIBA
from input_iba.attribution.found import Attributions
from input_iba.records import Attribution, Targets


def explain(
    model: nn.Module | str | Path,
    inputs: Any,
    target: Targets | None = None,
    *,
    data: Any = None,
    **settings: Any,
) -> Attributions[Attribution]:
    """Explain inputs of a model in one call.

    `data` are usual inputs, as of `InputIBA.fit`; None for crops, flips and shifts of the inputs.
    `settings` are further arguments of `InputIBA` (layer, preset, tokenizer, transform, …) and of
    `InputIBA.attribute` (seed, ids, on_error, progress, targets, additional_forward_args).

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))
    >>> explain(net, torch.randn(3, 16, 16), layer="1").maps.shape
    torch.Size([1, 1, 16, 16])
    """
    of_call = ("seed", "ids", "on_error", "progress", "additional_forward_args", "targets")
    asked = {key: settings.pop(key) for key in of_call if key in settings}
    made = InputIBA(model, **settings)
    if data is not None:
        made.fit(data)
    return made.attribute(inputs, target, **asked)
