"""Write files whole or not at all: aside in the same folder, then rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PART_SUFFIX = ".part"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Lend a path to write to; it becomes `path` when the block ends without an error.

    A reader sees the old file or the new one, never a part of it, even when the process is
    killed. What a killed process leaves behind ends in `.part`. A missing folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The temporary name is short and independent of the file's: a name of the greatest length
    # that the file system allows could not grow.
    aside = path.parent / f".{abs(hash(path.name)):x}-{os.getpid()}{PART_SUFFIX}"
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
