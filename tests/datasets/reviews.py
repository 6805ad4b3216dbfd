"""Tiny movie reviews in the layout of the official archive."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

TEXTS: Mapping[str, Mapping[str, str]] = {
    "train/pos": {"0_9": "A great, great film!", "1_10": "Great fun; it's fine."},
    "train/neg": {"0_2": "A dull film.<br /><br />Dull.", "1_1": "dull and flat"},
    "test/pos": {"0_8": "great zebra fun", "1_7": "A great film"},
    "test/neg": {"0_3": "so dull", "1_4": "flat film (dull)"},
}


def write_reviews(root: Path, texts: Mapping[str, Mapping[str, str]] = TEXTS) -> Path:
    """Write reviews under `root` and return it."""
    for folder, files in texts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (root / folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return root


def write_archive(path: Path, folder: Path) -> Path:
    """Pack a folder of reviews as the official archive is packed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "aclImdb")
    return path


def write_vectors(path: Path, words: Mapping[str, float], dimensions: int = 100) -> Path:
    """Write word vectors in GloVe's text format, each of one repeated number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{word} {' '.join([str(value)] * dimensions)}\n" for word, value in words.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path
