"""Movie reviews with their sentiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from input_iba.datasets.acl_imdb import review_folder
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.datasets.text_files import names_and_sizes, read_text
from input_iba.errors import DataError
from input_iba.registry import DATASETS

CLASSES = ("neg", "pos")
SPLITS = ("train", "test")


class IMDBDataset(TextDataset):
    """Movie reviews; class 0 is 'neg', class 1 is 'pos'.

    Args:
        root: Folder of the official archive, or of what it holds; it is downloaded when absent.
        vector_cache: See `TextDataset`, as `max_length` and `keep`.
        split: 'train' or 'test'.
        select_cls: 'pos' or 'neg' for the reviews of one class, None for both.
        max_words: Most words of the vocabulary beside `<unk>` and `<pad>`. It is built from the
            train split, whatever `split` says, and kept beside it.

    Raises:
        ConfigError: An argument is out of its range.
        DataError: The reviews are not there; says what to put where.
    """

    def __init__(
        self,
        root: str | Path = "data/imdb/",
        vector_cache: str | Path | None = None,
        split: str = "train",
        select_cls: str | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        max_words: int = MAX_WORDS,
    ) -> None:
        self.check_choice("split", split, SPLITS)
        if select_cls is not None:
            self.check_choice("select_cls", select_cls, CLASSES)
        folder = review_folder(Path(root))
        self.files = _reviews(folder, split, [select_cls] if select_cls else CLASSES)
        super().__init__(
            folder,
            unique_ids([(path.parent.name, path.name) for path in self.files]),
            list(CLASSES),
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
        )
        if split == "train" and select_cls is None:
            self.own_vocabulary = self.build_vocabulary()
        else:
            self.own_vocabulary = IMDBDataset(folder, max_words=max_words).vocabulary

    def raw_text(self, index: int) -> str:
        """Return a review as it stands in its file."""
        return read_text(self.files[index])

    def target(self, index: int) -> int:
        """Return 0 for a negative review and 1 for a positive one."""
        return CLASSES.index(self.files[index].parent.name)

    def path(self, index: int) -> str:
        """Return the review's file."""
        return str(self.files[index])

    def length(self, index: int) -> int:
        """Return the size of a review's file in bytes."""
        return self.files[index].stat().st_size

    def content(self) -> list[Any]:
        """Return relative name and size in bytes of every review."""
        return names_and_sizes(self.place, self.files)


def _reviews(folder: Path, split: str, classes: Sequence[str]) -> list[Path]:
    """List the reviews of a split, class by class, sorted by name."""
    files = []
    for name in classes:
        place = folder / split / name
        found = sorted(place.glob("*.txt")) if place.is_dir() else []
        if not found:
            raise DataError(
                f"No reviews in '{place}'. Expected the layout of the official archive: "
                f"'{folder}/{{train,test}}/{{pos,neg}}/<number>_<rating>.txt'."
            )
        files += found
    return files


DATASETS.register_module(name="IMDBDataset", module=IMDBDataset)
