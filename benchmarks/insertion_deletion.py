"""Insertion and deletion areas of a heat map, all steps batched (Petsiuk et al. 2018, RISE)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from input_iba.core.smoothing import gaussian_smooth


def ranks(heat: Tensor) -> Tensor:
    """Return each pixel's place in the order of heat, most important first, ties in reading order.

    >>> ranks(torch.tensor([[0.1, 0.7], [0.7, 0.3]]))
    tensor([[3, 0],
            [1, 2]])
    """
    order = heat.flatten().argsort(descending=True, stable=True)
    places = torch.empty_like(order)
    places[order] = torch.arange(len(order), device=order.device)
    return places.view_as(heat)


@torch.no_grad()
def insertion_deletion(
    classify: Callable[[Tensor], Tensor],
    x: Tensor,
    heat: Tensor,
    target: int,
    steps: int = 224,
    sigma: float = 5.0,
    batch_size: int = 32,
) -> tuple[float, float]:
    """Return the areas under the target's probability while pixels appear and disappear.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes).
        x: Normalised input (C, H, W); deleted pixels become 0, pixels not yet inserted are blurred.
        heat: Heat map (H, W).
        target: Class index.
        steps: Number of equal steps from no pixel to all of them.
        sigma: Deviation of the blur in pixels; its kernel has 2·round(2σ) + 1, odd.
        batch_size: Inputs that the classifier sees at once.

    Returns:
        Insertion area (higher is better) and deletion area (lower is better), both in [0, 1].
    """
    places, count = ranks(heat.to(x.device)), heat.numel()
    changed = torch.arange(steps + 1, device=x.device) * count // steps
    blur, zero = gaussian_smooth(x, sigma), torch.zeros_like(x)
    insertion, deletion = [], []
    for part in torch.split(changed, batch_size):
        chosen = (places < part[:, None, None])[:, None]
        insertion.append(classify(torch.where(chosen, x, blur)).softmax(-1)[:, target])
        deletion.append(classify(torch.where(chosen, zero, x)).softmax(-1)[:, target])
    share = changed.double() / count
    areas = [torch.trapezoid(torch.cat(p).double(), share).item() for p in (insertion, deletion)]
    return areas[0], areas[1]
