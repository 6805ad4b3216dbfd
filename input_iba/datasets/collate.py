"""Samples to batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from input_iba.errors import DataError
from input_iba.records import Sample


def stack_inputs(samples: Sequence[Sample]) -> Tensor:
    """Stack the inputs of samples of one shape, (C, H, W) each, to (S, C, H, W).

    Raises:
        DataError: There are no samples, or their shapes differ.
    """
    if not samples:
        raise DataError("Cannot make a batch of no samples: the data set or selection is empty.")
    first = samples[0]
    for sample in samples[1:]:
        if sample.input.shape != first.input.shape:
            raise DataError(
                "Samples of one batch must have equal shapes; got "
                f"{tuple(first.input.shape)} for '{first.id}' and {tuple(sample.input.shape)} for "
                f"'{sample.id}'. Add Resize with height and width to the pipeline, or set "
                "data.data_loader.batch_size=1."
            )
    return torch.stack([sample.input for sample in samples])
