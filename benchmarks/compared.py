"""The samples and masks that several work directories have in common."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from input_iba.datasets import SampleDataset
from input_iba.datasets.ids import select_ids
from input_iba.datasets.loading import read_batches
from input_iba.errors import DataError
from input_iba.records import Failure, ImageSample
from input_iba.results.names import file_names

RANDOM = "random"
"""Name of the random maps, the level to beat."""


@dataclass(frozen=True)
class Compared:
    """What gave the masks that are compared.

    Attributes:
        work_dirs: Folders of runs of the same config.
        masks: Which masks of theirs: 'input_masks' or 'feat_masks'.
        subset_file: Names the samples to compare, or None for all.
    """

    work_dirs: tuple[Path, ...]
    masks: str
    subset_file: Path | None = None

    @property
    def names(self) -> list[str]:
        """Names of what gave the masks: the work directories, and random maps."""
        return [*map(str, self.work_dirs), RANDOM]

    def indices(self, dataset: SampleDataset) -> tuple[list[int], list[str]]:
        """Return positions of the samples with a mask everywhere, and ids of those without.

        Raises:
            DataError: The subset file cannot be read, or names something that is not there.
        """
        files = file_names(dataset.ids)
        chosen = set(select_ids(dataset.ids, self.subset_file) if self.subset_file else dataset.ids)
        complete = {
            id_: all(path.is_file() for path in self._paths(files[id_]))
            for id_ in dataset.ids
            if id_ in chosen
        }
        indices = [index for index, id_ in enumerate(dataset.ids) if complete.get(id_)]
        return indices, [id_ for id_, has_all in complete.items() if not has_all]

    def read(
        self, dataset: SampleDataset, indices: Sequence[int]
    ) -> Iterator[tuple[ImageSample | Failure, Tensor]]:
        """Yield samples and their maps (M, H, W), in the order of `names`.

        The maps of a failure are empty.

        Raises:
            DataError: A mask has another size than its input.
        """
        files = file_names(dataset.ids)
        for (item,) in read_batches(dataset, [[index] for index in indices]):
            if isinstance(item, Failure):
                yield item, torch.empty(0)
            elif isinstance(item, ImageSample):
                size = (item.input.shape[-2], item.input.shape[-1])
                maps = [_load(path, size) for path in self._paths(files[item.id])]
                yield item, torch.stack([*maps, random_map(item.id, size)])

    def _paths(self, file: str) -> list[Path]:
        return [folder / self.masks / f"{file}.npz" for folder in self.work_dirs]


def random_map(sample_id: str, size: tuple[int, int]) -> Tensor:
    """Return a map (H, W) of uniform noise, the same at each call for one sample."""
    generator = torch.Generator().manual_seed(zlib.crc32(sample_id.encode()))
    return torch.rand(size, generator=generator)


def _load(path: Path, size: tuple[int, int]) -> Tensor:
    with np.load(path) as stored:
        mask = torch.from_numpy(stored["mask"])
    if tuple(mask.shape) != size:
        raise DataError(
            f"Mask '{path}' has shape {tuple(mask.shape)}, the input {size}. Compare runs of the "
            "config that is given, and of no other."
        )
    return mask
