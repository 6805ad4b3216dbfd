"""Read samples in batches; a bad sample becomes a record of its failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from input_iba.core.padding import pad
from input_iba.datasets.base import SampleDataset
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
    """Read the samples of each batch, given by their indices, in order; workers read ahead.

    Samples stay apart: stacking them would need equal shapes.
    """
    yield from DataLoader(
        _Guarded(dataset), batch_sampler=batches, num_workers=num_workers, collate_fn=list
    )


def first_shape(dataset: SampleDataset, ids: Sequence[str]) -> tuple[int, ...] | None:
    """Return the shape of the first of some samples that can be read, or None where none can."""
    position = {id_: index for index, id_ in enumerate(dataset.ids)}
    for [item] in read_batches(dataset, [[position[id_]] for id_ in ids]):
        if isinstance(item, Sample):
            return tuple(item.input.shape)
    return None


def cut(indices: Sequence[int], size: int) -> list[list[int]]:
    """Cut indices into batches.

    >>> cut([4, 5, 6], 2)
    [[4, 5], [6]]
    """
    return [list(indices[i : i + size]) for i in range(0, len(indices), size)]


def stackable(samples: Sequence[Sample], by_target: bool = False) -> list[list[Sample]]:
    """Group samples whose inputs make one tensor: images of one shape, and texts.

    `by_target` also keeps apart those with a target and those without.
    """
    groups: dict[object, list[Sample]] = {}
    for sample in samples:
        shape = () if isinstance(sample, TextSample) else tuple(sample.input.shape)
        groups.setdefault((shape, by_target and sample.target is None), []).append(sample)
    return list(groups.values())


def stacked(samples: Sequence[Sample], pinned: bool = False) -> Tensor:
    """Return the inputs of S ≥ 1 stackable samples as one tensor.

    It may be `pinned` in memory, from where a GPU takes it without making anybody wait.

    Returns:
        Images (S, C, H, W), or token ids (S, T), padded to the longest text.
    """
    inputs = [sample.input for sample in samples]
    first = samples[0]
    one = pad(inputs, first.pad).ids if isinstance(first, TextSample) else torch.stack(inputs)
    return one.pin_memory() if pinned else one
