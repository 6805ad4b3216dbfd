"""Texts in files: of one's own in class folders, and what IMDB's reviews share with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from input_iba.datasets.folders import Entry, class_folders, find_files
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.text_dataset import MAX_WORDS, TextDataset
from input_iba.datasets.tokens import read_text
from input_iba.registry import DATASETS


class TextFiles(TextDataset):
    """Texts in files, each of the class that its folder is named by; `how` as in `TextDataset`."""

    def __init__(
        self, place: Path, entries: list[Entry], class_names: Sequence[str], **how: Any
    ) -> None:
        self.entries = entries
        ids = unique_ids([(entry.group, entry.path.name) for entry in entries])
        numbers = {name: i for i, name in enumerate(class_names)}
        targets = [numbers.get(entry.group or "") for entry in entries]
        paths = [str(entry.path) for entry in entries]
        super().__init__(place, ids, class_names, targets, paths, **how)

    def raw_text(self, index: int) -> str:
        """Return a text as it stands in its file."""
        return read_text(self.entries[index].path)

    def length(self, index: int) -> int:
        """Return the size of a text's file in bytes."""
        return self.entries[index].path.stat().st_size

    def content(self) -> list[Any]:
        """Return relative name and size in bytes of every text."""
        return [entry.name_and_size(self.place) for entry in self.entries]


@DATASETS.register_module()
class TextFolder(TextFiles):
    """Texts in `root/<class>/*.txt`; a flat folder of texts has no targets.

    Args:
        root: The data set's folder; its classes are numbered in the order of their names.
        select_cls: Class whose texts are taken; None for all.
        max_length: See `TextDataset`, as all that follow.
    """

    def __init__(
        self,
        root: str | Path,
        select_cls: str | None = None,
        max_length: int | None = None,
        keep: str | None = None,
        vocabulary: str | Path | Mapping[str, Any] | None = None,
        max_words: int = MAX_WORDS,
        vector_cache: str | Path | None = None,
    ) -> None:
        place = Path(root)
        folders = class_folders(place, "root")
        names = [folder.name for folder in folders]
        if select_cls is not None:
            self.check_choice("select_cls", select_cls, names)
            folders = [place / select_cls]
        super().__init__(
            place,
            find_files(place, folders, [".txt"], "texts"),
            names,
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
            vocabulary=vocabulary,
        )
