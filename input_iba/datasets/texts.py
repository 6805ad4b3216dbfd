"""A whole data set of text in memory, as token ids: for training classifiers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from input_iba.datasets.base import SampleDataset
from input_iba.errors import DataError

LOGGER = logging.getLogger(__name__)


def load_texts(
    dataset: SampleDataset,
    on_sample: Callable[[], object] = lambda: None,
    indices: Sequence[int] | None = None,
) -> tuple[tuple[Tensor, ...], Tensor]:
    """Read every text, or some, once; one that cannot be used is left out, with a warning.

    Args:
        dataset: Texts with targets.
        on_sample: Called after each text, for progress.
        indices: Texts to read; None for all.

    Returns:
        Token ids of each text (T_s,), and targets (N,), int64.

    Raises:
        DataError: A text has no class, or none can be used.
    """
    texts, targets = [], []
    for i in range(len(dataset)) if indices is None else indices:
        target = dataset.target(i)
        if target is None:
            raise DataError(f"Text '{dataset.path(i)}' has no class; training needs classes.")
        try:
            texts.append(dataset[i].input)
            targets.append(target)
        except DataError as error:
            LOGGER.warning("Left out: %s", error)
        on_sample()
    if not texts:
        raise DataError("The data set has no text that can be used; training needs some.")
    return tuple(texts), torch.tensor(targets)
