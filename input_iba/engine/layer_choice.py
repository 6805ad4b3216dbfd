"""The layer that is chosen for a classifier of images that goes by a name."""

from __future__ import annotations

import torch
from torch import nn

from input_iba.modality.layer_choice import choose_image_layer


def choose_layer(type_: str, classifier: nn.Module, size: int) -> str:
    """Return the name of a layer to put the feature bottleneck at; see `choose_image_layer`.

    Args:
        type_: Name of the classifier, which decides nothing.
        classifier: With any weights, on the CPU.
        size: Height and width of its inputs.

    Raises:
        ConfigError: No layer puts out a map.
    """
    generator = torch.Generator().manual_seed(0)
    return choose_image_layer(classifier, torch.randn(1, 3, size, size, generator=generator))
