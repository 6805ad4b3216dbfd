"""Attention that hooks can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def plain_attention() -> Iterator[None]:
    """Switch off torch's fast path for transformer encoders, and restore it afterwards.

    Without gradients it packs padded texts into nested tensors, which have no shape that a layer's
    features could be read in, and leaves out the modules within a layer.
    """
    enabled = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(enabled)
