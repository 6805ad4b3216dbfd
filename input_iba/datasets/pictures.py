"""What every data set of pictures is: a reader, and a pipeline behind it."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.base import SampleDataset
from input_iba.datasets.images import as_channels
from input_iba.datasets.pipeline import Pipeline
from input_iba.errors import ConfigError, DataError
from input_iba.records import ImageSample

PipelineConfig = Sequence[Mapping[str, Any]]


class PictureDataset(SampleDataset):
    """Pictures by position.

    Args:
        ids: One name per sample, all different; names of files in the work directory.
        pipeline: Transforms as plain data, each with `type` and its keys.
        class_names: Names by class index, or None where there are no classes.
        channels: Channels of the inputs: 3 (RGB) or 1 (grey).
        seed: Seeds transforms that draw at random, together with the sample's id.

    Attributes:
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
        super().__init__(ids, class_names)
        self.channels = channels
        self.seed = seed
        self.pipeline = Pipeline(pipeline)

    def __getitem__(self, index: int) -> ImageSample:
        """Read and transform one picture.

        Raises:
            DataError: The picture cannot be used; names its file and says why.
        """
        image, boxes = self.read(index)
        target = self.target(index)
        seed = zlib.crc32(f"{self.seed}/{self.ids[index]}".encode("utf-8", "surrogatepass"))
        try:
            inputs, shown, boxes = self.pipeline(as_channels(image, self.channels), boxes, seed)
        except (ValueError, RuntimeError) as error:  # e.g. a crop that is larger than the picture
            raise DataError(
                f"The pipeline cannot be applied to '{self.path(index)}' "
                f"({image.width}×{image.height} pixels): {error}"
            ) from error
        path = self.path(index)
        return ImageSample(self.ids[index], inputs, target, path, image=shown, boxes=boxes)

    @abstractmethod
    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB picture and its boxes (n, 4), x1, y1, x2, y2 in its pixels, or None."""

    def preparation(self) -> list[Any]:
        """Return channels, seed and pipeline."""
        return [self.channels, self.seed, self.pipeline.config]
