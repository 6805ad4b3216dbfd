"""Images that differ in one place, and whether a map says in which."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.core.hooks import unwrap

MOST_PREFIX_TOKENS = 9
"""Tokens of no patch that are looked for before those of patches."""


def images(size: int) -> Tensor:
    """Return one image and copies of it with one place changed each, (1 + places², 3, H, W).

    Args:
        size: H and W, in pixels.
    """
    generator = torch.Generator().manual_seed(1)
    many = torch.randn(1, 3, size, size, generator=generator).repeat(17, 1, 1, 1)
    side = size // 4
    for index in range(16):
        top, left = side * (index // 4), side * (index % 4)
        noise = 1 + 2 * torch.randn(3, side, side, generator=generator)
        many[1 + index, :, top : top + side, left : left + side] += noise
    return many


def share_in_place(maps: Tensor) -> float:
    """Return the share of positions that move most where the image was changed.

    A position is compared with itself only, between the changed images: some always move more than
    others. Of layers with fewer than four rows the changed places are taken together, 2 × 2.

    Args:
        maps: Of `images`, (1 + 16, C, h, w).
    """
    change = (maps[1:] - maps[:1]).abs().sum(1)  # places, h, w
    height, width = change.shape[-2:]
    if min(height, width) < 2:
        return 0.0
    per_side = 4 if min(height, width) >= 4 else 2
    places = change.reshape(per_side, 4 // per_side, per_side, 4 // per_side, height, width)
    found = places.sum((1, 3)).flatten(0, 1).argmax(0)
    rows = ((torch.arange(height) + 0.5) * per_side / height).long()
    columns = ((torch.arange(width) + 0.5) * per_side / width).long()
    right = rows[:, None] * per_side + columns
    return float((found == right).float().mean())


def outputs(net: nn.Module, layer: str, pixels: Tensor) -> Tensor:
    """Return what a layer puts out, as it is."""
    found: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(
        lambda _module, _args, output: found.append(unwrap(output))
    )
    with torch.no_grad(), handle:
        net(pixels)
    assert len(found) == 1
    return found[0]


def readings(raw: Tensor, images: int) -> dict[str, Tensor]:
    """Return the maps that an output may hold, by how it is read.

    Args:
        raw: What a layer puts out, of any shape.
        images: How many went in.
    """
    if len(raw) != images:
        return {}
    if raw.ndim == 4:
        return {"channels first": raw, "channels last": raw.permute(0, 3, 1, 2)}
    if raw.ndim != 3:
        return {}
    found = {}
    for name, tokens in (("tokens", raw), ("channels, tokens", raw.mT)):
        for prefix in range(MOST_PREFIX_TOKENS + 1):
            side = round(max(tokens.shape[1] - prefix, 0) ** 0.5)
            if side > 1 and side * side == tokens.shape[1] - prefix:
                found[f"{name} after {prefix}"] = tokens[:, prefix:].mT.unflatten(2, (side, side))
    return found
