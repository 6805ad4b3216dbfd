"""Images and texts in tar shards as WebDataset writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.datasets.class_index import named_classes
from input_iba.datasets.ids import numbered
from input_iba.datasets.images import SUFFIXES, ImageDataset, read_image
from input_iba.datasets.labels import Labelled, label_of, labelled
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.datasets.tar_samples import TarSample, tar_samples
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.errors import DataError
from input_iba.registry import DATASETS

IMAGES = tuple(suffix.lstrip(".") for suffix in SUFFIXES)

Shards = str | Path | Sequence[str | Path]


class _Read:
    """The samples of shards with their classes; what is wrong with one is told when it is read."""

    def __init__(
        self, shards: Shards, label: str | None, classes: str | Path | Sequence[str] | None
    ) -> None:
        self.samples = tar_samples(shards)
        self.ids = numbered([sample.key for sample in self.samples])
        self.paths = [str(sample) for sample in self.samples]
        self._wrong: dict[int, str] = {}
        labels = [self._label(i, label) for i in range(len(self.samples))]
        known = None if classes is None else named_classes(classes)
        self.labelled: Labelled = labelled(labels, known)
        self._wrong |= {
            number: f"Sample '{self.paths[number]}': {why}"
            for number, why in self.labelled.wrong.items()
        }

    def sample(self, index: int) -> TarSample:
        """Return a sample, or raise a `DataError` where it cannot be used."""
        if index in self._wrong:
            raise DataError(self._wrong[index])
        return self.samples[index]

    def content(self) -> list[Any]:
        """Return key, class, and size of every part of every sample."""
        return [
            [sample.key, target, sorted((ext, size) for ext, (_, size) in sample.parts.items())]
            for sample, target in zip(self.samples, self.labelled.targets, strict=True)
        ]

    def _label(self, number: int, field: str | None) -> str:
        if field is None:
            return ""
        try:
            return label_of(self.samples[number].value(field))
        except DataError as error:
            self._wrong[number] = str(error)
            return ""


@DATASETS.register_module()
class ImageShards(ImageDataset):
    """Images in tars: `KEY.jpg`, and its class in `KEY.cls` or `KEY.json`.

    Args:
        shards: Paths or URLs of the tars, one or a list; `*` in a path stands for several.
        label: Where the class stands: an extension, or a key in JSON such as 'json.label'; None
            where images are explained for the class that the classifier predicts.
        classes: What labels are names, ids or indices of, as in `PictureFiles`; None for the labels
            themselves, in the order of their names, or indices where they are whole numbers.
        image: Extensions of the images.
    """

    def __init__(
        self,
        shards: Shards,
        pipeline: PipelineConfig,
        label: str | None = "cls",
        classes: str | Path | Sequence[str] | None = None,
        image: Sequence[str] = IMAGES,
        channels: int = 3,
    ) -> None:
        self._read = found = _Read(shards, label, classes)
        self._image = [image] if isinstance(image, str) else list(image)
        self.indices_given = found.labelled.indices_given
        names, targets = found.labelled.names, found.labelled.targets
        super().__init__(found.ids, pipeline, names, channels, targets=targets, paths=found.paths)

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image; no boxes."""
        sample = self._read.sample(index)
        extension = sample.first(self._image)
        if extension is None:
            raise DataError(f"Sample '{sample}' has no image, but {', '.join(sample.parts)}.")
        return read_image(sample.held(extension)), None

    def content(self) -> list[Any]:
        """Return key, class and sizes of every sample."""
        return self._read.content()


@DATASETS.register_module()
class TextShards(TextDataset):
    """Texts in tars: `KEY.txt`, or a key in `KEY.json`, and the class likewise.

    Args:
        shards: See `ImageShards`, as `label` and `classes`.
        text: Where the text stands: an extension, or a key in JSON such as 'json.text'.
        max_length: See `TextDataset`, as all that follow.
    """

    def __init__(
        self,
        shards: Shards,
        text: str = "txt",
        label: str | None = "cls",
        classes: str | Path | Sequence[str] | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
    ) -> None:
        self._read, self._text = _Read(shards, label, classes), text
        found = self._read
        self.indices_given = found.labelled.indices_given
        super().__init__(
            Path(found.samples[0].shard).parent,
            found.ids,
            found.labelled.names,
            found.labelled.targets,
            found.paths,
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=vocabulary,
        )

    def raw_text(self, index: int) -> str:
        """Return the text of a sample."""
        return self._read.sample(index).value(self._text)

    def length(self, index: int) -> int:
        """Return the bytes of the file that the text stands in."""
        part = self._read.samples[index].parts.get(self._text.partition(".")[0], (0, 0))
        return part[1]

    def content(self) -> list[Any]:
        """Return key, class and sizes of every sample."""
        return self._read.content()
