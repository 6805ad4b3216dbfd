"""What a classifier of text is lent for the time of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


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


@contextmanager
def padding_known(model: nn.Module, pad: int) -> Iterator[None]:
    """Tell configurations of `transformers` that know no padding its id, and take it back.

    Classifiers that read a text's last token, as GPT-2 does, look for the padding behind it.
    """
    configs = [vars(module).get("config") for module in model.modules()]
    lent: list[Any] = [c for c in configs if getattr(c, "pad_token_id", pad) is None]
    try:
        for config in lent:
            config.pad_token_id = pad
        yield
    finally:
        for config in lent:
            config.pad_token_id = None
