"""A network as it is, inside a module of the user's, and compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn


class Mine(nn.Module):
    """A user's module around a network."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.backbone(*args, **kwargs)


def compiled(net: nn.Module) -> nn.Module:
    """Compile a network."""
    made: Any = torch.compile(net, backend="eager")
    return cast("nn.Module", made)


FORMS: dict[str, tuple[str, Callable[[nn.Module], nn.Module]]] = {
    "plain": ("", lambda net: net),
    "in a module": ("backbone.", Mine),
    "compiled": ("_orig_mod.", compiled),
}
"""What the names of layers begin with, and how a network is put into that form."""
