"""Our attributors as other packages call attributions: captum's `attribute`, Quantus's function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from input_iba.attribution.base import BaseAttributor
from input_iba.core.explainable import bare
from input_iba.errors import AttributionError
from input_iba.records import Failure

Attributes = BaseAttributor[Any, Any]
"""An `Attributor`, or a `MethodAttributor`."""

ExplainFunc = Callable[..., NDArray[np.float32]]
"""Quantus's `explain_func(model, inputs, targets, **kwargs)`, to (S, 1, H, W)."""


class CaptumAttribution:
    """An attributor with captum's call: inputs and target in, a tensor out.

    An `Attributor` must know its statistics. `kind` is the field of the record that is returned:
    'map', 'input_mask', or of an `Attributor` also 'feature_mask' or 'prior_mask'.

    >>> from input_iba.attribution.methods import MethodAttributor, Random
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    >>> method = CaptumAttribution(MethodAttributor(net, Random()))
    >>> method.attribute(torch.randn(3, 1, 8, 8), target=1).shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(self, attributor: Attributes, kind: str = "map") -> None:
        self.attributor = attributor
        self.kind = kind

    def attribute(
        self, inputs: Tensor, target: int | Sequence[int] | Tensor | None = None, *, seed: int = 0
    ) -> Tensor:
        """Explain normalised inputs (S, C, H, W); returns (S, 1, H, W), where and as they are.

        `target` is a class for all samples, or one each; None for the predicted classes.

        Raises:
            AttributionError: A sample could not be explained.
        """
        found = self.attributor.attribute(inputs, target, seed=seed)
        failed = [record for record in found if isinstance(record, Failure)]
        if failed:
            raise AttributionError(
                f"{len(failed)} of {len(found)} samples could not be explained. The first, number "
                f"{failed[0].id}: {failed[0].reason}"
            )
        maps = torch.stack([getattr(record, self.kind) for record in found])
        return maps[:, None].to(inputs)

    __call__ = attribute


def quantus_explain_func(
    attributor: Attributes | Callable[[nn.Module], Attributes], kind: str = "map"
) -> ExplainFunc:
    """Return an `explain_func` for the metrics of Quantus, with `kind` as in `CaptumAttribution`.

    The attributor explains its own classifier; a function makes one for the model that Quantus
    hands over, for metrics that change the model.
    """

    def explain(
        model: nn.Module,
        inputs: NDArray[Any] | Tensor,
        targets: NDArray[Any] | Tensor | Sequence[int],
        *,
        seed: int = 0,
        **_: object,  # Quantus passes more, such as the device
    ) -> NDArray[np.float32]:
        chosen = attributor if isinstance(attributor, BaseAttributor) else attributor(model)
        if chosen is attributor and chosen.model is not bare(model):
            raise AttributionError(
                "Quantus asks for an explanation of another model than the attributor's, as "
                "metrics do that change weights. Give quantus_explain_func a function from a "
                "model to an attributor for it."
            )
        images = torch.as_tensor(np.asarray(inputs), dtype=torch.float32)
        labels = [int(label) for label in np.asarray(targets).ravel()]
        maps = CaptumAttribution(chosen, kind).attribute(images, labels, seed=seed)
        values: NDArray[np.float32] = maps.cpu().float().numpy()
        return values

    return explain
