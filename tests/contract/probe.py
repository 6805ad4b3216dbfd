"""Images that differ in one place, and whether a map says in which."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.core.hooks import unwrap

MAX_PREFIX_TOKENS = 9
"""Tokens of no patch that are looked for before those of patches."""


PER_SIDE = 4
"""Rows and columns of places in an image; every second one is changed, as on a chessboard."""

PLACES = [(row, column) for row in range(PER_SIDE) for column in range(row % 2, PER_SIDE, 2)]


def images(size: int) -> Tensor:
    """Return one image and copies of it with one place changed each, (1 + places, 3, H, W).

    Args:
        size: H and W, in pixels.
    """
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(1, 3, size, size, generator=generator)
    many = image.repeat(1 + len(PLACES), 1, 1, 1)
    side = size // PER_SIDE
    for changed, (row, column) in zip(many[1:], PLACES, strict=True):
        noise = 1 + 2 * torch.randn(3, side, side, generator=generator)
        changed[:, side * row : side * (row + 1), side * column : side * (column + 1)] += noise
    return many


def share_in_place(maps: Tensor) -> float:
    """Return of the positions at changed places the share that move most where they were changed.

    A position is compared with itself only, between the changed images: some always move more than
    others. Of maps with fewer than four rows the places are taken together, 2 × 2.

    Args:
        maps: Of `images`, (1 + places, C, h, w).
    """
    change = (maps[1:] - maps[:1]).abs().sum(1)  # places, h, w
    height, width = change.shape[-2:]
    if min(height, width) < 2:
        return 0.0
    per_side = PER_SIDE if min(height, width) >= PER_SIDE else 2
    labels = [
        row * per_side // PER_SIDE * per_side + column * per_side // PER_SIDE
        for row, column in PLACES
    ]
    found = torch.tensor(labels)[change.argmax(0)]
    rows = ((torch.arange(height) + 0.5) * per_side / height).long()
    columns = ((torch.arange(width) + 0.5) * per_side / width).long()
    right = rows[:, None] * per_side + columns
    return float((found == right)[torch.isin(right, torch.tensor(labels))].float().mean())


def outputs(net: nn.Module, layer: str, pixels: Tensor) -> Tensor:
    """Return what a layer puts out, as it is."""
    found: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(
        lambda _module, _args, output: found.append(unwrap(output).clone())
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
        for prefix in range(MAX_PREFIX_TOKENS + 1):
            side = round(max(tokens.shape[1] - prefix, 0) ** 0.5)
            if side > 1 and side * side == tokens.shape[1] - prefix:
                found[f"{name} after {prefix}"] = tokens[:, prefix:].mT.reshape(
                    len(raw), -1, side, side
                )
    return found
