"""Images and texts in data sets of Hugging Face that were saved to disk (`save_to_disk`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from input_iba.core.files import Held
from input_iba.datasets.class_index import Classes, named_classes
from input_iba.datasets.ids import numbered
from input_iba.datasets.images import ImageDataset, read_image
from input_iba.datasets.labels import Labelled, label_of, labelled
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.errors import ConfigError, DataError, closest, import_extra
from input_iba.registry import DATASETS


class _Table:
    """The rows of a data set on disk: one column to explain, and perhaps classes and ids."""

    def __init__(
        self,
        folder: str | Path,
        split: str | None,
        column: str,
        label: str | None,
        id_: str | None,
        classes: str | Path | Sequence[str] | None,
    ) -> None:
        self.place, self.column = Path(folder), column
        self.rows = _loaded(self.place, split)
        for name in filter(None, (column, label, id_)):
            if name not in self.rows.column_names:
                known = self.rows.column_names
                raise ConfigError(
                    f"The data set in '{folder}' has no column {name!r}.{closest(name, known)} It "
                    f"has {', '.join(known)}."
                )
        self.fingerprint: str = self.rows._fingerprint
        stem = split or self.place.resolve().name
        named = self.rows[id_] if id_ else (f"{stem}_{i}" for i in range(len(self.rows)))
        self.ids = numbered([str(name) for name in named])
        self.paths = [f"{folder}, row {i}" for i in range(len(self.rows))]
        self.labelled = self._classes(label, None if classes is None else named_classes(classes))
        self.rows = self.rows.select_columns([column])  # the others need not be decoded

    def value(self, index: int) -> Any:
        """Return what stands in a row, or raise a `DataError` where it cannot be used."""
        if index in self.labelled.wrong:
            raise DataError(f"Row '{self.paths[index]}': {self.labelled.wrong[index]}")
        found = self.rows[index][self.column]
        if found is None:
            raise DataError(f"Row '{self.paths[index]}' has nothing in '{self.column}'.")
        return found

    def content(self) -> list[Any]:
        """Return what changes with the rows: the fingerprint that they were saved with."""
        return [self.fingerprint, self.ids, self.labelled.targets]

    def _classes(self, label: str | None, known: Classes | None) -> Labelled:
        if label is None:
            return Labelled(None, [None] * len(self.rows), False, {})
        names = getattr(self.rows.features[label], "names", None)
        found = list(self.rows[label])
        if names is not None and known is None:  # a column of classes, by their indices
            targets = [i if i is not None and 0 <= i < len(names) else None for i in found]
            return Labelled(list(names), targets, False, {})
        return labelled(["" if value is None else label_of(str(value)) for value in found], known)


def _loaded(folder: Path, split: str | None) -> Any:
    datasets = import_extra("datasets", "datasets", "datasets")
    try:
        found = datasets.load_from_disk(str(folder))
    except Exception as error:  # the package has errors of its own, and pyarrow has
        raise DataError(
            f"'{folder}' cannot be read as a data set of Hugging Face: {type(error).__name__}: "
            f"{error}. Expected a folder that `save_to_disk` wrote."
        ) from error
    if isinstance(found, datasets.DatasetDict):
        if split not in found:
            raise ConfigError(
                f"The data set in '{folder}' has the splits {', '.join(found)}; `split` is "
                f"{split!r}. Give one of them."
            )
        found = found[split]
    elif split is not None:
        raise ConfigError(f"The data set in '{folder}' has no splits: leave `split` out.")
    return found


@DATASETS.register_module()
class HuggingFaceImages(ImageDataset):
    """Images of a data set that was saved to disk.

    Args:
        folder: Where `save_to_disk` wrote it.
        split: Which part, where it has several.
        image: Column of the images.
        label: Column of their classes; None where images are explained for the class that the
            classifier predicts.
        id: Column of ids; None for numbers.
        classes: What labels are names, ids or indices of, as in `PictureFiles`; None for those that
            the column names, or the labels themselves.
    """

    def __init__(
        self,
        folder: str | Path,
        pipeline: PipelineConfig,
        split: str | None = None,
        image: str = "image",
        label: str | None = "label",
        id: str | None = None,
        classes: str | Path | Sequence[str] | None = None,
        channels: int = 3,
    ) -> None:
        self._table = table = _Table(folder, split, image, label, id, classes)
        kind = import_extra("datasets", "datasets", "datasets").Image
        if not isinstance(table.rows.features[image], kind):
            raise ConfigError(f"Column {image!r} of '{folder}' does not hold images.")
        # As bytes: a bad image is then one failed sample, and all are turned and converted alike.
        table.rows = table.rows.cast_column(image, kind(decode=False))
        self.indices_given = table.labelled.indices_given
        names, targets = table.labelled.names, table.labelled.targets
        super().__init__(table.ids, pipeline, names, channels, targets=targets, paths=table.paths)

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the RGB image; no boxes."""
        found = self._table.value(index)
        if found["bytes"] is None:
            return read_image(found["path"]), None
        return read_image(Held(self.path(index), found["bytes"])), None

    def content(self) -> list[Any]:
        """Return fingerprint, ids and classes."""
        return self._table.content()


@DATASETS.register_module()
class HuggingFaceTexts(TextDataset):
    """Texts of a data set that was saved to disk.

    Args:
        folder: See `HuggingFaceImages`, as `split`, `label`, `id` and `classes`.
        text: Column of the texts.
        max_length: See `TextDataset`, as all that follow.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str | None = None,
        text: str = "text",
        label: str | None = "label",
        id: str | None = None,
        classes: str | Path | Sequence[str] | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
    ) -> None:
        self._table = table = _Table(folder, split, text, label, id, classes)
        self.indices_given = table.labelled.indices_given
        super().__init__(
            table.place,
            table.ids,
            table.labelled.names,
            table.labelled.targets,
            table.paths,
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=vocabulary,
        )

    def raw_text(self, index: int) -> str:
        """Return the text of a row."""
        found = self._table.value(index)
        if not isinstance(found, str):
            raise DataError(
                f"Row '{self.path(index)}': expected a text in '{self._table.column}', got "
                f"{type(found).__name__}."
            )
        return found

    def length(self, index: int) -> int:
        """Return the number of characters; of a row without a text 0."""
        found = self._table.rows[index][self._table.column]
        return len(found) if isinstance(found, str) else 0

    def content(self) -> list[Any]:
        """Return fingerprint, ids and classes."""
        return self._table.content()
