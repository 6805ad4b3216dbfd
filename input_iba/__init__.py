"""See which pixels or words made a PyTorch classifier decide.

>>> import input_iba
>>> from torch import nn, randn
>>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(784, 5))
>>> input_iba.explain(net, randn(2, 3, 16, 16), layer="1").maps.shape
torch.Size([2, 1, 16, 16])
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from input_iba.attribution.explain import explain
    from input_iba.attribution.facade import InputIBA
    from input_iba.attribution.found import Attributions
    from input_iba.attribution.pairs import Pair, explain_pair
    from input_iba.attribution.presets import Preset
    from input_iba.core.targets import (
        BoxTarget,
        ClassTarget,
        ContrastTarget,
        EmbeddingTarget,
        GenerationTarget,
        MultiLabelTarget,
        RegressionTarget,
        SegmentTarget,
        SpanTarget,
        TokenTarget,
    )
    from input_iba.training.amortised import AmortisedIBA

__version__ = version("input-iba")

__all__ = [
    "AmortisedIBA",
    "Attributions",
    "BoxTarget",
    "ClassTarget",
    "ContrastTarget",
    "EmbeddingTarget",
    "GenerationTarget",
    "InputIBA",
    "MultiLabelTarget",
    "Pair",
    "Preset",
    "RegressionTarget",
    "SegmentTarget",
    "SpanTarget",
    "TokenTarget",
    "explain",
    "explain_pair",
]

_WHERE = {
    "AmortisedIBA": "input_iba.training.amortised",
    "Attributions": "input_iba.attribution.found",
    "InputIBA": "input_iba.attribution.facade",
    "Pair": "input_iba.attribution.pairs",
    "Preset": "input_iba.attribution.presets",
    "explain": "input_iba.attribution.explain",
    "explain_pair": "input_iba.attribution.pairs",
}
_TARGETS = "input_iba.core.targets"
"""Where everything else is that is exported."""


def __getattr__(name: str) -> object:
    """Import what is asked for, so that `import input_iba` does not wait for torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE.get(name, _TARGETS)), name)
