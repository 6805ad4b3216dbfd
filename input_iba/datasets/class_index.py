"""Class indices, names and WordNet ids: of ImageNet, or of a file like it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from input_iba.errors import ConfigError, DataError, closest

MOST_NAMED = 8
"""Classes that a message lists."""


@dataclass(frozen=True)
class Classes:
    """The classes that a classifier tells apart.

    Attributes:
        names: Readable names, position = class index.
        ids: WordNet ids, or other names of folders, likewise.
    """

    names: Sequence[str]
    ids: Sequence[str] = ()

    def find(self, wanted: int | str) -> int:
        """Return the index of a class.

        Args:
            wanted: Index, WordNet id, or name; underscores count as spaces, upper and lower case
                are the same.

        Raises:
            ConfigError: There is no such class, or several; names those that may be meant.

        >>> Classes(["tench", "crane", "Crane"], ["n1", "n2", "n3"]).find("n2")
        1
        >>> Classes(["tench", "crane", "Crane"], ["n1", "n2", "n3"]).find("crane")
        Traceback (most recent call last):
        input_iba.errors.ConfigError: 2 classes are called 'crane': give the index of one, ...
        """
        text = str(wanted)
        if text.isdecimal():
            if int(text) < len(self.names):
                return int(text)
            raise ConfigError(
                f"Class index {text}: class indices go from 0 to {len(self.names) - 1}."
            )
        if text in self.ids:
            return list(self.ids).index(text)
        plain, names = _plain(text), [_plain(name) for name in self.names]
        found = [i for i, name in enumerate(names) if name == plain]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(
                f"{len(found)} classes are called {text!r}: give the index of one, "
                f"{' or '.join(map(self._described, found))}."
            )
        within = [i for i, name in enumerate(names) if plain and plain in name][:MOST_NAMED]
        more = f" With these letters: {', '.join(map(self._described, within))}." if within else ""
        raise ConfigError(f"Unknown class {text!r}.{closest(plain, names)}{more}")

    def _described(self, index: int) -> str:
        id_ = f" ({self.ids[index]})" if self.ids else ""
        return f"{index} {self.names[index]}{id_}"


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


@lru_cache(maxsize=1)
def imagenet_classes() -> Classes:
    """Return the 1,000 classes of ImageNet."""
    from torchvision.models import VGG16_Weights

    ids = Path(__file__).with_name("imagenet_wordnet_ids.txt").read_text(encoding="ascii").split()
    return Classes(tuple(VGG16_Weights.IMAGENET1K_V1.meta["categories"]), tuple(ids))


def classes_of_file(path: str | Path) -> Classes:
    """Read classes from a file of the form of `imagenet_class_index.json`.

    Raises:
        DataError: The file is absent or of another form.
    """
    by_index = read_class_index(path)
    ids = [by_index.get(i, ("", ""))[0] for i in range(max(by_index, default=-1) + 1)]
    return Classes(names_by_index(by_index), ids)


def read_class_index(path: str | Path) -> dict[int, tuple[str, str]]:
    """Read which class has which index.

    Args:
        path: A JSON file of the form {"0": ["n01440764", "tench"], …}.

    Returns:
        Folder name (WordNet id) and readable name by class index.

    Raises:
        DataError: The file is absent or of another form.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        return {int(i): (str(folder), str(name)) for i, (folder, name) in content.items()}
    except FileNotFoundError as error:
        raise DataError(
            f"Class index file '{path}' does not exist. Set `ind_to_cls_file`; "
            "resources/imagenet_class_index.json is the one of ImageNet."
        ) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"Class index file '{path}' cannot be used: {error}. Expected JSON of the form "
            '{"0": ["n01440764", "tench"], …}.'
        ) from error


def names_by_index(classes: dict[int, tuple[str, str]]) -> list[str]:
    """Return readable names, position = class index; gaps are named by their number."""
    return [classes.get(i, ("", f"class {i}"))[1] for i in range(max(classes, default=-1) + 1)]
