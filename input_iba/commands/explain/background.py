"""Inputs of the estimation set that a method compares with."""

from __future__ import annotations

import torch

from input_iba.attribution.methods import MethodAttributor
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import alike, read_batches
from input_iba.records import Sample
from input_iba.run.logs import LOGGER


def provide_background(
    explainer: MethodAttributor, dataset: SampleDataset, num_workers: int = 0
) -> int:
    """Give a method the inputs that it compares with, if it needs any.

    They are spread evenly over the estimation set, which is sorted by class as a rule.

    Args:
        explainer: Keeps them.
        dataset: The estimation set.
        num_workers: Processes that read.

    Returns:
        How many samples could not be read.
    """
    wanted = int(getattr(explainer.method, "n_background", 0))
    if explainer.needs != "background":
        return 0
    count = min(wanted, len(dataset))
    chosen = [i * len(dataset) // count for i in range(count)]
    [items] = read_batches(dataset, [chosen], num_workers)
    good = [item for item in items if isinstance(item, Sample)]
    for item in items:
        if not isinstance(item, Sample):
            LOGGER.warning("Estimation sample %s is left out: %s", item.id, item.reason)
    largest = max(alike(good), key=len, default=[])
    if largest:
        explainer.background = torch.stack([sample.input for sample in largest])
    LOGGER.info("Compared with %d samples of the estimation set", len(largest))
    return len(items) - len(good)
