"""Movie reviews with their sentiment: found on disk, unpacked from their archive, or downloaded."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
import shutil
import tarfile
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path

from input_iba.core.files import PART_SUFFIX, written_whole
from input_iba.datasets.folders import Entry
from input_iba.datasets.text_dataset import MAX_WORDS
from input_iba.datasets.text_folder import TextFiles
from input_iba.errors import DataError
from input_iba.registry import DATASETS

LOGGER = logging.getLogger(__name__)

CLASSES = ("neg", "pos")
SPLITS = ("train", "test")
ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
FOLDER = "aclImdb"
_REVIEW = re.compile(r"(?:^|/)((?:train|test)/(?:pos|neg)/[^/]+\.txt)$")
_BLOCK = 1 << 20


@DATASETS.register_module()
class IMDBDataset(TextFiles):
    """Movie reviews; class 0 is 'neg', class 1 is 'pos'.

    The vocabulary is built from the train split, whatever `split` says, and kept beside it.

    Args:
        root: Folder of the official archive, or of what it holds; it is downloaded when absent.
        vector_cache: See `TextDataset`, as `max_length`, `keep` and `max_words`.
        split: 'train' or 'test'.
        select_cls: 'pos' or 'neg' for the reviews of one class, None for both.
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
        super().__init__(
            folder,
            _reviews(folder, split, [select_cls] if select_cls else CLASSES),
            CLASSES,
            max_length=max_length,
            keep=keep,
            max_words=max_words,
            vector_cache=vector_cache,
        )
        if split == "train" and select_cls is None:
            self.own_vocabulary = self.build_vocabulary()
        else:
            self.own_vocabulary = IMDBDataset(folder, max_words=max_words).vocabulary


def _reviews(folder: Path, split: str, classes: Sequence[str]) -> list[Entry]:
    """List the reviews of a split, class by class, sorted by name."""
    entries: list[Entry] = []
    for name in classes:
        found = sorted((folder / split / name).glob("*.txt"))
        if not found:
            raise DataError(
                f"No reviews in '{folder / split / name}'. Expected the layout of the official "
                f"archive: '{folder}/{{train,test}}/{{pos,neg}}/<number>_<rating>.txt'."
            )
        entries += [Entry(path, name) for path in found]
    return entries


def review_folder(root: Path) -> Path:
    """Return the folder with `train/` and `test/`: `root`, or `root/aclImdb`.

    Where neither holds reviews, an archive `aclImdb*.tar.gz` in `root` is unpacked, or downloaded.

    Raises:
        DataError: Nothing is there and nothing can be had; says what to put where.

    References:
        Maas et al. 2011, "Learning Word Vectors for Sentiment Analysis", ACL.
    """
    for folder in (root, root / FOLDER):
        if (folder / "train").is_dir() or (folder / "test").is_dir():
            return folder
    if root.exists() and not root.is_dir():
        raise DataError(f"Data folder '{root}': expected a folder, found a file. {_remedy(root)}")
    archives = sorted(root.glob("aclImdb*.tar.gz"))
    return _unpack(archives[0] if archives else _download(root), root / FOLDER)


def _remedy(root: Path) -> str:
    return (
        f"Put the archive {Path(ADDRESS).name} ({ADDRESS}) into '{root}', or unpack it there: "
        f"'{root / FOLDER}/train/pos/*.txt' and so on. Or name another folder as `root`."
    )


def _download(root: Path) -> Path:
    path = root / Path(ADDRESS).name
    LOGGER.info("Downloading %s (80 MiB) to '%s'", ADDRESS, path)
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with (
            written_whole(path) as aside,
            urllib.request.urlopen(ADDRESS, timeout=60) as answer,  # https  # nosec B310
            aside.open("wb") as stream,
        ):
            while block := answer.read(_BLOCK):
                digest.update(block)
                stream.write(block)
            if digest.hexdigest() != MD5:
                raise DataError(
                    f"The download of {ADDRESS} is damaged: expected the MD5 sum {MD5}, got "
                    f"{digest.hexdigest()}. Try again. {_remedy(root)}"
                )
    except OSError as error:  # no network, no such host, a full disk
        raise DataError(
            f"No movie reviews in '{root}', and they cannot be downloaded ({error}). "
            f"{_remedy(root)}"
        ) from error
    return path


def _unpack(archive: Path, folder: Path) -> Path:
    """Write the labelled reviews of an archive to a folder, which appears whole or not at all."""
    LOGGER.info("Unpacking '%s' to '%s'", archive, folder)
    aside = folder.with_name(f".{folder.name}-{os.getpid()}{PART_SUFFIX}")
    try:
        count = _extract(archive, aside)
        if count == 0:
            raise DataError(
                f"Archive '{archive}' has no files {FOLDER}/train/pos/*.txt and so on. "
                f"{_remedy(archive.parent)}"
            )
        if not folder.exists():  # another process of this run may have been faster
            aside.replace(folder)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        if folder.exists():
            return folder
        raise DataError(
            f"Archive '{archive}' cannot be unpacked ({type(error).__name__}: {error}). Where it "
            f"is damaged, delete it. {_remedy(archive.parent)}"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _extract(archive: Path, folder: Path) -> int:
    """Write the labelled reviews only, each where its own name says; return how many."""
    for part in ("train/pos", "train/neg", "test/pos", "test/neg"):
        (folder / part).mkdir(parents=True)
    count = 0
    # tarfile takes an archive that was cut between two members for a whole one; gzip does not.
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as members:
        for member in members:
            place = _REVIEW.search(member.name)
            content = members.extractfile(member) if place and member.isfile() else None
            if place and content is not None:
                (folder / place[1]).write_bytes(content.read())
                count += 1
        while stream.read(_BLOCK):
            pass
    return count
