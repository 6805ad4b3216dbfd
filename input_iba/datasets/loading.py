"""Read samples in batches; a bad sample becomes a record of its failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from input_iba.core.padding import pad
from input_iba.datasets import SampleDataset
from input_iba.errors import DataError
from input_iba.records import Failure, Sample, TextSample


class _Guarded(Dataset[Sample | Failure]):
    """Returns a `Failure` in place of an error, so that worker processes can report it."""

    def __init__(self, dataset: SampleDataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> Sample | Failure:
        try:
            sample: Sample = self.dataset[index]
        except DataError as error:
            return Failure(self.dataset.ids[index], str(error))
        # A decoder or a transform of the user's own may raise anything about one bad file.
        except Exception as error:
            reason = f"cannot be read: {type(error).__name__}: {error}"
            return Failure(self.dataset.ids[index], reason)
        return sample


def read_batches(
    dataset: SampleDataset, batches: Sequence[list[int]], num_workers: int = 0
) -> Iterator[list[Sample | Failure]]:
    """Read the samples of each batch, in order.

    Args:
        dataset: Any data set.
        batches: Indices of the samples of each batch.
        num_workers: Processes that read ahead.
    """
    loader = DataLoader(
        _Guarded(dataset), batch_sampler=batches, num_workers=num_workers, collate_fn=_as_list
    )
    yield from loader


def _as_list(items: list[Sample | Failure]) -> list[Sample | Failure]:
    """Keep samples apart: stacking them would need equal shapes."""
    return items


def cut(indices: Sequence[int], size: int) -> list[list[int]]:
    """Cut indices into batches.

    >>> cut([4, 5, 6], 2)
    [[4, 5], [6]]
    """
    return [list(indices[i : i + size]) for i in range(0, len(indices), size)]


def alike(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Group samples that can be explained together: stackable, target given or not."""
    groups: dict[tuple[tuple[int, ...], bool], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((_kind(sample), sample.target is None), []).append(sample)
    return list(groups.values())


def stackable(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Group samples whose inputs make one tensor: pictures of one shape, and texts."""
    groups: dict[tuple[int, ...], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(_kind(sample), []).append(sample)
    return list(groups.values())


def _kind(sample: Sample) -> tuple[int, ...]:
    return () if isinstance(sample, TextSample) else tuple(sample.input.shape)


def stacked(samples: Sequence[Sample]) -> Tensor:
    """Return the inputs of stackable samples as one tensor.

    Args:
        samples: S of them, one or more.

    Returns:
        Pictures (S, C, H, W), or token ids (S, T), padded to the longest text.
    """
    inputs = [sample.input for sample in samples]
    first = samples[0]
    return pad(inputs, first.pad).ids if isinstance(first, TextSample) else torch.stack(inputs)
