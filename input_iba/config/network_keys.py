"""Keys of a config that say what a network puts out: how features lie, and which the logits are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from input_iba.errors import ConfigError, closest
from input_iba.modality.layouts import NAMED

Plain = Mapping[str, Any]


def layout_key(attributor: Plain, path: Path) -> str | None:
    """Return `attributor.layout`, the name of a layout, or None.

    Raises:
        ConfigError: There is none of that name.
    """
    layout = attributor.get("layout")
    if layout is not None and layout not in NAMED:
        raise ConfigError(
            f"'attributor.layout' of '{path}' is one of {', '.join(NAMED)}; got {layout!r}."
            f"{closest(str(layout), NAMED)}"
        )
    found: str | None = layout
    return found


def output_key(attributor: Plain, path: Path) -> int | str | None:
    """Return `attributor.output`, an index or a key, or None.

    Raises:
        ConfigError: It is something else.
    """
    output = attributor.get("output")
    if output is not None and (isinstance(output, bool) or not isinstance(output, int | str)):
        raise ConfigError(
            f"'attributor.output' of '{path}' is the index or the key of the logits in what the "
            f"classifier returns; got {output!r}."
        )
    found: int | str | None = output
    return found
