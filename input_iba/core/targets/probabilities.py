"""From logits to probabilities and predictions, of one logit or several."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def class_logits(logits: Tensor) -> Tensor:
    """Return logits (…, classes); a single logit z stands for two, −z and z, (…, 2).

    >>> class_logits(torch.tensor([[2.0]]))
    tensor([[-2.,  2.]])
    """
    return torch.cat([-logits, logits], -1) if logits.shape[-1] == 1 else logits


def probabilities(logits: Tensor, use_softmax: bool = True) -> Tensor:
    """Turn logits (…, classes) into probabilities of the same shape.

    A single logit z tells two classes apart, with probabilities σ(−z) and σ(z), (…, 2).

    >>> probabilities(torch.zeros(1, 1))
    tensor([[0.5000, 0.5000]])
    """
    if logits.shape[-1] == 1:
        return class_logits(logits).sigmoid()
    return logits.softmax(-1) if use_softmax else logits.sigmoid()


def log_probabilities(logits: Tensor, use_softmax: bool = True) -> Tensor:
    """Return the logarithm of `probabilities`, computed without rounding them first."""
    if logits.shape[-1] == 1:
        return F.logsigmoid(class_logits(logits))
    return logits.log_softmax(-1) if use_softmax else F.logsigmoid(logits)


def predictions(logits: Tensor) -> Tensor:
    """Return the class that logits (B, classes) speak for, (B,); a single logit z for z > 0.

    >>> predictions(torch.tensor([[-1.0], [2.0]]))
    tensor([0, 1])
    """
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
