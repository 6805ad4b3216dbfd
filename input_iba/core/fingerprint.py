"""What a model's weights are, in one number."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn


def weights_digest(model: nn.Module) -> str:
    """Return the SHA-256 of names, shapes and values of all weights and buffers."""
    digest = hashlib.sha256()
    for name, values in model.state_dict().items():
        if isinstance(values, Tensor):
            digest.update(f"{name} {tuple(values.shape)} {values.dtype}\n".encode())
            flat = values.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()
