"""What every data set is: samples by position, with unique ids and a fingerprint."""

from __future__ import annotations

import hashlib
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from input_iba.datasets.images import as_channels
from input_iba.datasets.pipeline import Pipeline
from input_iba.errors import ConfigError, DataError
from input_iba.records import Sample
from input_iba.registry import DATASETS, build

PipelineConfig = Sequence[Mapping[str, Any]]


class SampleDataset(Dataset[Sample], ABC):
    """Samples by position; the same position always gives the same sample.

    Args:
        ids: One name per sample, all different; names of files in the work directory.
        pipeline: Transforms as plain data, each with `type` and its keys.
        class_names: Names by class index, or None where there are no classes.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).
        seed: Seeds transforms that draw at random, together with the sample's id.

    Attributes:
        ids: One name per sample.
        class_names: Names by class index, or None.
        pipeline: The compiled transforms.
    """

    def __init__(
        self,
        ids: list[str],
        pipeline: PipelineConfig,
        class_names: list[str] | None = None,
        channels: int = 3,
        seed: int = 0,
    ) -> None:
        if channels not in (1, 3):
            raise ConfigError(f"`channels` of a data set is 1 (grey) or 3 (RGB); got {channels!r}.")
        self.ids = ids
        self.class_names = class_names
        self.channels = channels
        self.seed = seed
        self.pipeline = Pipeline(pipeline)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Sample:
        """Read and transform one sample.

        Raises:
            DataError: The sample cannot be used; names its file and says why.
        """
        image, boxes = self.read(index)
        target = self.target(index)
        seed = zlib.crc32(f"{self.seed}/{self.ids[index]}".encode())
        try:
            inputs, shown, boxes = self.pipeline(as_channels(image, self.channels), boxes, seed)
        except (ValueError, RuntimeError) as error:  # e.g. a crop that is larger than the picture
            raise DataError(
                f"The pipeline cannot be applied to '{self.path(index)}' "
                f"({image.width}×{image.height} pixels): {error}"
            ) from error
        return Sample(self.ids[index], inputs, shown, target, self.path(index), boxes)

    @abstractmethod
    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB picture and its boxes (n, 4), x1, y1, x2, y2 in its pixels, or None."""

    @abstractmethod
    def target(self, index: int) -> int | None:
        """Return the class index, or None for the class that the classifier predicts."""

    @abstractmethod
    def path(self, index: int) -> str:
        """Return where the sample comes from, for messages."""

    @abstractmethod
    def content(self) -> list[Any]:
        """Return plain data that changes whenever the samples do: names and sizes."""

    def fingerprint(self) -> str:
        """Return a SHA-256 over names, sizes and pipeline, 64 hexadecimal digits.

        It does not change when a data set moves to another folder.
        """
        what = [type(self).__name__, self.channels, self.seed, self.pipeline.config, self.content()]
        return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


def build_dataset(cfg: Mapping[str, Any]) -> SampleDataset:
    """Build the data set that a config names by `type`.

    Raises:
        ConfigError: Unknown type, key or transform.
        DataError: The files are not there.

    >>> cfg = dict(type="Samples", names=["chelsea"], pipeline=[dict(type="ToTensor")])
    >>> dataset = build_dataset(cfg)
    >>> dataset.ids, dataset[0].input.shape
    (['chelsea'], torch.Size([3, 300, 451]))
    """
    dataset: SampleDataset = build(DATASETS, cfg)
    return dataset
