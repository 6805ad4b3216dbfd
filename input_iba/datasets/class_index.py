"""Class indices, names and WordNet ids: of ImageNet, or of a file like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from input_iba.core.files import read_json
from input_iba.errors import ConfigError, DataError, closest

IMAGENET = "imagenet"
MAX_NAMED = 8
"""Classes that a message lists."""

MAX_CLASSES = 1_000_000
"""Classes that a file may have: one with a higher index is not meant as such a file."""


@dataclass(frozen=True)
class Classes:
    """The classes that a classifier tells apart: names and folders (WordNet ids) by class index."""

    names: Sequence[str]
    ids: Sequence[str] = ()

    def find(self, wanted: int | str) -> int:
        """Return the index of a class by index, id, or name; case and underscores do not matter.

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
        within = [i for i, name in enumerate(names) if plain and plain in name][:MAX_NAMED]
        more = f" With these letters: {', '.join(map(self._described, within))}." if within else ""
        raise ConfigError(f"Unknown class {text!r}.{closest(plain, names)}{more}")

    def label(self, index: int) -> str:
        """Return the name of a class, or its index where several classes share the name."""
        name = self.names[index]
        return str(index) if list(self.names).count(name) > 1 else name

    def _described(self, index: int) -> str:
        id_ = f" ({self.ids[index]})" if self.ids else ""
        return f"{index} {self.names[index]}{id_}"


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


def find_targets(classes: Classes | None, targets: Sequence[int | str]) -> list[int]:
    """Return the indices of some classes, each once.

    Raises:
        ConfigError: A class is unknown, or a name is given where classes have none.
    """
    if isinstance(targets, str | int):
        targets = [targets]
    if classes is not None:
        return list(dict.fromkeys(classes.find(target) for target in targets))
    named = [target for target in targets if not str(target).isdecimal()]
    if named:
        raise ConfigError(
            f"Target {named[0]!r}: the names of this classifier's classes are not known. Give the "
            "class index, or a file of names (--classes)."
        )
    return list(dict.fromkeys(int(target) for target in targets))


def for_every_target(
    ids: Sequence[str], classes: Classes | None, targets: Sequence[int | str]
) -> tuple[list[str], list[int], list[int | None]]:
    """Name each of some samples once for every target that it is explained for.

    Returns:
        The names, with the target where there are several; which of the samples each is; and the
        class indices, None without targets.

    Raises:
        ConfigError: A class is unknown.

    >>> for_every_target(["a", "b"], Classes(["cat", "dog"]), [1, "cat"])
    (['a_dog', 'a_cat', 'b_dog', 'b_cat'], [0, 0, 1, 1], [1, 0, 1, 0])
    """
    found = find_targets(classes, targets)
    labels = [str(index) if classes is None else classes.label(index) for index in found]
    ends = [f"_{label}" for label in labels] if len(labels) > 1 else [""]
    indices: list[int | None] = [*found] or [None]
    names = [f"{id_}{end}" for id_ in ids for end in ends]
    places = [place for place in range(len(ids)) for _ in indices]
    return names, places, indices * len(ids)


@lru_cache(maxsize=1)
def imagenet_classes() -> Classes:
    """Return the 1,000 classes of ImageNet."""
    from torchvision.models import VGG16_Weights

    ids = Path(__file__).with_name("imagenet_wordnet_ids.txt").read_text(encoding="ascii").split()
    return Classes(tuple(VGG16_Weights.IMAGENET1K_V1.meta["categories"]), tuple(ids))


def classes_of_file(path: str | Path) -> Classes:
    """Read classes from a JSON file of the form {"0": ["n01440764", "tench"], …}.

    Classes that it leaves out are named by their number, and have no id. A file whose name ends
    in .txt has the name of a class in every line, by index, and no ids.

    Raises:
        DataError: The file is absent or of another form.
    """
    try:
        if Path(path).suffix.lower() == ".txt":
            return Classes(_one_a_line(Path(path).read_text(encoding="utf-8-sig")))
        content = read_json(Path(path))
        found = {int(i): (str(name), str(folder)) for i, (folder, name) in content.items()}
        if wrong := [i for i in found if not 0 <= i < MAX_CLASSES]:
            raise ValueError(f"class indices go from 0 to {MAX_CLASSES - 1:,}, got {wrong[0]}")
    except FileNotFoundError as error:
        raise DataError(
            f"Class index file '{path}' does not exist. Set `ind_to_cls_file`; "
            "resources/imagenet_class_index.json is the one of ImageNet."
        ) from error
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"Class index file '{path}' cannot be used: {error}. Expected JSON of the form "
            '{"0": ["n01440764", "tench"], …}, or a .txt with the name of a class in every line.'
        ) from error
    every = [found.get(i, (f"class {i}", "")) for i in range(max(found, default=-1) + 1)]
    return Classes([name for name, _ in every], [id_ for _, id_ in every])


def _one_a_line(text: str) -> list[str]:
    """Return the lines of a text, each of which is the name of a class."""
    names = [line.strip() for line in text.rstrip().split("\n")]
    if "" in names:  # left out it would shift the classes behind it
        raise ValueError(f"line {names.index('') + 1} is empty")
    return names


def named_classes(classes: str | Path | Sequence[str] | None) -> Classes | None:
    """Return the classes in a list or a file, those of ImageNet for 'imagenet', None for None."""
    if classes is None:
        return None
    if not isinstance(classes, str | Path):
        return Classes(list(classes))
    return imagenet_classes() if classes == IMAGENET else classes_of_file(classes)
