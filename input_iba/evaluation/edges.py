"""Maps that know the picture and nothing of the classifier: the control of sanity checks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def edge_map(inputs: Tensor) -> Tensor:
    """Return how steep the picture is at every pixel: the length of Sobel's gradient.

    It looks like an explanation, since classifiers look at outlines too, and depends on no weight.

    Args:
        inputs: (S, C, H, W); channels are averaged, the border is repeated.

    Returns:
        (S, H, W), at least 0.

    >>> steps = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(1, 1, 3, 4)
    >>> edge_map(steps)[0, 1].tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    smooth, slope = inputs.new_tensor([1, 2, 1]) / 4, inputs.new_tensor([-1, 0, 1])
    across = torch.outer(smooth, slope)
    kernels = torch.stack([across, across.T])[:, None]
    padded = F.pad(inputs.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    slopes = F.conv2d(padded, kernels)
    return slopes.square().sum(1).sqrt()
