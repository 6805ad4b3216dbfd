"""Inputs by their number of spatial dimensions: signals, images, volumes."""

from __future__ import annotations

import math

Size = tuple[int, ...]
"""Height and width; of signals the length, of volumes depth, height and width."""

KINDS = {1: "signal", 2: "image", 3: "volume"}
AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
"""What inputs and their axes are called, and how maps are enlarged."""


def grid_size(patches: int, *image: int) -> Size | None:
    """Return how many square patches lie along each side of an image, or None where none fit.

    Of signals any number fits, and patches of volumes are cubes.

    >>> grid_size(196, 224, 224), grid_size(6, 32, 48), grid_size(197, 224, 224)
    ((14, 14), (2, 3), None)
    >>> grid_size(50, 1600), grid_size(64, 16, 16, 16)
    ((50,), (4, 4, 4))
    """
    if patches < 1:
        return None
    size, left = list[int](), patches
    for axis in range(len(image) - 1):
        # The patches that are left, spread over the sides that are left as these are long.
        sides = len(image) - axis
        length = (left * image[axis] ** sides / math.prod(image[axis:])) ** (1 / sides)
        size.append(max(round(length), 1))
        left //= size[-1]
    size.append(left)
    # Patches are square, up to a last one that the image's border cuts.
    if math.prod(size) != patches:
        return None
    edges = [side / count for side, count in zip(image, size, strict=True)]
    square = all(abs(edges[0] - edge) < 0.1 * edges[0] for edge in edges)
    return tuple(size) if square else None


def axes_named(dims: int) -> str:
    """Return what the axes of one input are called, by its number of spatial dimensions.

    >>> axes_named(2)
    'channels, height, width'
    """
    return ", ".join(("channels", *AXES[dims]))
