"""File names for sample ids: readable, valid everywhere, never the same for two ids."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from input_iba.errors import EvaluationError

MAX_BYTES = 180
"""Bytes of a name; file systems allow 255, and extensions must fit too."""

IN_ONE_FOLDER = 3_000
"""Samples whose files of a kind lie in one folder: at most three each, and 10,000 in all."""

_PLAIN = set("._-+=()[]{},@ ~")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def safe_name(name: str) -> str:
    """Turn any text into one file name, without its extension.

    Letters and digits of any script stay; separators, control and other special characters are
    percent-encoded, so that different texts keep different names. A very long name is cut and
    ends in a digest of the whole.

    >>> safe_name("cat photo"), safe_name("a/b:c")
    ('cat photo', 'a%2Fb%3Ac')
    """
    kept = [
        c if c.isalnum() or c in _PLAIN else quote(c, safe="", errors="surrogatepass") for c in name
    ]
    # A leading dot hides the file; Windows drops trailing dots and spaces.
    for place in (0, -1):
        if kept and kept[place] in ". ":
            kept[place] = f"%{ord(kept[place]):02X}"
    safe = "".join(kept) or "%00"
    if safe.split(".")[0].lower() in _RESERVED:
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    if len(safe.encode()) > MAX_BYTES:
        head = safe.encode()[: MAX_BYTES - 11].decode("utf-8", "ignore")
        safe = f"{head}~{_digest(name)}"
    return safe


def file_names(ids: Iterable[str]) -> dict[str, str]:
    """Return a file name of its own by id, without extension, on file systems that ignore case too.

    `ids` are all of the data set: a name must not depend on which of its neighbours are explained.

    >>> file_names(["cat", "Cat", "dog"])
    {'cat': 'cat~77af778b51', 'Cat': 'Cat~48735c4fae', 'dog': 'dog'}
    """
    names = {id_: safe_name(id_) for id_ in ids}
    folded = {id_: unicodedata.normalize("NFKC", name).casefold() for id_, name in names.items()}
    count = Counter(folded.values())
    return {
        id_: f"{name}~{_digest(id_)}" if count[folded[id_]] > 1 else name
        for id_, name in names.items()
    }


def in_folders(names: Mapping[str, str], ids: Sequence[str]) -> dict[str, str]:
    """Return where the files of some samples lie below the folder of their kind, by id.

    So few that one folder takes them lie in it under their names; of more samples so many each
    have a numbered folder, in their order.

    >>> in_folders({"cat": "cat", "dog": "dog"}, ["dog"])
    {'dog': 'dog'}
    >>> in_folders({str(i): str(i) for i in range(3_001)}, [str(i) for i in range(3_001)])["3000"]
    '0001/3000'
    """
    if len(ids) <= IN_ONE_FOLDER:
        return {id_: names[id_] for id_ in ids}
    return {id_: f"{i // IN_ONE_FOLDER:04d}/{names[id_]}" for i, id_ in enumerate(ids)}


def telling_names(paths: Sequence[Path], given: Sequence[str] | None = None) -> list[str]:
    """Return the names given, or the last parts of paths, as many as tell them apart.

    Raises:
        EvaluationError: Not one name of its own for each.

    >>> telling_names([Path("/a/x"), Path("/b/x"), Path("/b/y")])
    ['a/x', 'b/x', 'y']
    """
    chosen = _last_parts(paths) if given is None else list(given)
    if len(chosen) != len(paths) or len(set(chosen)) != len(chosen) or "" in chosen:
        raise EvaluationError(
            f"Expected one name of its own for each of {len(paths)} work directories; got "
            f"{', '.join(map(repr, chosen))}. Give --names."
        )
    return chosen


def _last_parts(paths: Sequence[Path]) -> list[str]:
    parts = [path.resolve().parts[1:] for path in paths]
    names = [of_path[-1:] for of_path in parts]
    for length in range(2, max(map(len, parts), default=0) + 1):
        count = Counter(names)
        names = [
            of_path[-length:] if count[name] > 1 else name
            for of_path, name in zip(parts, names, strict=True)
        ]
    return ["/".join(name) for name in names]
