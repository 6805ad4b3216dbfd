"""How many samples, and how many rows of the classifier, are computed at once: what fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch

from input_iba.config.load import RunConfig
from input_iba.core.fitting import FittingRows, Shape, rows_at_once, size_of
from input_iba.datasets import SampleDataset
from input_iba.datasets.loading import read_batches
from input_iba.errors import ConfigError, ResumeError
from input_iba.records import Sample
from input_iba.registry import PRIORS, build
from input_iba.run.shell import Run

SamplesPerBatch = int | Literal["auto"]


def choose_samples_per_batch(
    wanted: SamplesPerBatch | None,
    configured: int,
    earlier: int | None,
    fitting: Callable[[], int],
) -> int:
    """Return how many samples are explained at once.

    Args:
        wanted: What the command line asks for.
        configured: `data.data_loader.batch_size`.
        earlier: What the run that is continued was cut into, if one is: its samples are to be
            computed in the company that they had.
        fitting: Returns how many samples are likely to fit.

    Raises:
        ConfigError: `wanted` is not a number of samples.
        ResumeError: `wanted` is another number than that of the run to be continued.
    """
    if wanted not in (None, "auto") and (type(wanted) is not int or wanted < 1):
        raise ConfigError(f"--samples-per-batch must be 1 or more, or 'auto', got {wanted!r}.")
    if earlier is None:
        return fitting() if wanted == "auto" else wanted or configured
    if wanted not in (None, "auto", earlier):
        raise ResumeError(
            f"--samples-per-batch: was {earlier}, now {wanted}, and a continued run is to give the "
            "masks of an uninterrupted one. Leave the option out (memory that does not suffice "
            "is met with smaller batches anyway), or choose another --work-dir."
        )
    return earlier


def fitting_samples(shape: Shape, draws: int, device: torch.device, most: int) -> int:
    """Return how many samples keep a device busy without filling its memory.

    Args:
        shape: Of one input, (C, H, W).
        draws: Rows that one sample sends through the classifier at once.
        device: Where to compute.
        most: Samples that there are.

    >>> fitting_samples((3, 224, 224), 10, torch.device("cpu"), 1000)
    3
    """
    return max(1, min(rows_at_once(shape, device) // draws, most))


def fitting_batch(config: RunConfig, dataset: SampleDataset, ids: Sequence[str], run: Run) -> int:
    """Return how many samples like the first that can be read fit, some for every process."""
    position = {id_: index for index, id_ in enumerate(dataset.ids)}
    most = -(-len(ids) // run.processes.world_size)
    for [item] in read_batches(dataset, [[position[id_]] for id_ in ids]):
        if isinstance(item, Sample):
            shape = tuple(item.input.shape)
            return fitting_samples(shape, draws_per_sample(config), run.device, most)
    return 1


def draws_per_sample(config: RunConfig) -> int:
    """Return the rows that one sample sends through the classifier at once: the larger K."""
    if config.baseline is not None:
        return config.baseline.rows_per_sample
    return max(config.feature_iba.batch_size, config.input_iba.batch_size)


class FittingSizes:
    """How much is computed at once; halved, per shape of input, whenever memory runs out.

    Args:
        samples: Samples at once, to begin with.
        config: Says how many rows a sample can send through the classifier at once.
        device: Where to compute.
    """

    def __init__(self, samples: int, config: RunConfig, device: torch.device) -> None:
        self._most = samples
        needed = draws_per_sample(config)
        if config.baseline is None:
            needed = max(needed, getattr(build(PRIORS, config.prior), "batch_size", 0))
        self._rows = FittingRows(config.internal_batch_size, device, needed)
        self._samples: dict[Shape, int] = {}

    def samples(self, shape: Shape) -> int:
        """Return how many samples with inputs of a shape to explain at once."""
        return self._samples.get(shape, self._most)

    def rows(self, shape: Shape) -> int | None:
        """Return how many rows the classifier may see at once; None for the usual number."""
        return self._rows.halved(shape)

    def halve(self, shape: Shape, samples: int) -> str | None:
        """Take less from now on, because memory ran out.

        First the number of samples is halved; when a single one does not fit, so is the number
        of rows that the classifier sees at once.

        Args:
            shape: Of one of the inputs.
            samples: How many were explained at once.

        Returns:
            What happens now, or None when there is nothing left to halve.
        """
        if samples > 1:
            half = self._samples[shape] = (samples + 1) // 2
            return (
                f"Out of memory with {samples} samples of {size_of(shape)} at once, from here on "
                f"{half}. --samples-per-batch {half} would save the attempt."
            )
        said = self._rows.halve(shape)
        rows = self._rows.halved(shape)
        return said and f"{said} --internal-batch-size {rows} would save the attempt."
