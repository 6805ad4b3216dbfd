"""Class indices, names and WordNet ids: `imagenet_class_index.json`."""

from __future__ import annotations

import json
from pathlib import Path

from input_iba.errors import DataError


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
