"""Presets: files of parameters that configs inherit, and `--preset` can put others in place of.

A preset is a `_base_` file beside this one. Whatever a config writes itself, or inherits from any
other file, counts with every preset. Each has a second file with parameters for text.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from input_iba.errors import ConfigError, closest

if TYPE_CHECKING:  # mmengine takes a while to import, and --help needs the names alone
    from mmengine.config import Config

PRESETS = ("fast", "paper")

TEXT = "_text"
"""Ending of the files with parameters for text."""

PRIOR_TYPE = "attributor.gan.type"
"""Key that says which class the prior's other keys are for."""

_FOLDER = Path(__file__).parent
_ONE_AT_A_TIME = threading.RLock()

Plain = Mapping[str, Any]


def preset_values(name: str) -> dict[str, Any]:
    """Return the parameters of a preset; `name` with `TEXT` behind it has those for text.

    Raises:
        ConfigError: There is no such preset.

    >>> sorted(preset_values("paper"))
    ['attribution_cfg', 'attributor', 'estimation_cfg']
    """
    if name.removesuffix(TEXT) not in PRESETS:
        raise ConfigError(
            f"Unknown preset {name!r}.{closest(name, PRESETS)} Known: {', '.join(PRESETS)}."
        )
    from mmengine.config import Config

    values: dict[str, Any] = Config.fromfile(str(_FOLDER / f"{name}.py")).to_dict()
    return values


def read_config(path: Path, values: Plain | None = None) -> tuple[Config, str | None]:
    """Read a config file and its bases.

    Args:
        path: The file.
        values: Put in place of the preset that the file inherits; None leaves it.

    Returns:
        The config, and the name of the preset it inherits, if any.
    """
    from mmengine.config import Config

    inherited: list[str] = []
    with _preset_files_read_as(values, inherited):
        config = Config.fromfile(str(path))
    # A preset may inherit another; the first is the one that the config named.
    return config, inherited[0] if inherited else None


@contextmanager
def _preset_files_read_as(values: Plain | None, inherited: list[str]) -> Iterator[None]:
    """Note the presets that are read in the block; let them hold `values` instead, if given.

    mmengine merges a file over its bases as it reads, with no place to look in between. So this
    stands in for the function that reads one file.
    """
    from mmengine.config import Config

    read = Config._file2dict

    def read_or_replace(filename: str, *args: Any, **kwargs: Any) -> Any:
        name = _preset_at(Path(filename))
        if name is not None:
            inherited.append(name)
            if values is not None:
                return deepcopy(dict(values)), "", {}
        return read(filename, *args, **kwargs)

    with _ONE_AT_A_TIME:
        Config._file2dict = staticmethod(read_or_replace)
        try:
            yield
        finally:
            Config._file2dict = staticmethod(read)


def _preset_at(path: Path) -> str | None:
    """Return which preset a file is, in this or another copy of the package."""
    where = path.resolve()
    mine = where.parts[-4:-1] == _FOLDER.parts[-3:]
    name = where.stem.removesuffix(TEXT)
    return name if mine and name in PRESETS else None


def put_beneath(values: Plain, config: Plain) -> dict[str, Any]:
    """Return a config with a preset's values where it has none of its own.

    >>> put_beneath({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})
    {'a': {'b': 3, 'c': 2}, 'd': 4}
    """
    merged = dict(values)
    for key, own in config.items():
        below = values.get(key)
        if isinstance(own, Mapping) and isinstance(below, Mapping):
            merged[key] = put_beneath(below, own)
        else:
            merged[key] = own
    return merged


def lookup(config: Plain, dotted: str) -> Any:
    """Return the value at a dotted key, or None where there is none.

    >>> lookup({"a": {"b": 1}}, "a.b"), lookup({"a": {"b": 1}}, "a.c.d")
    (1, None)
    """
    value: Any = config
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def for_prior(values: Plain, type_: Any) -> dict[str, Any]:
    """Return a preset's values without those that are for another type of prior than `type_`."""
    kept: dict[str, Any] = deepcopy(dict(values))
    if type_ != lookup(values, PRIOR_TYPE):
        kept["attributor"]["gan"] = {"type": lookup(values, PRIOR_TYPE)}
        kept["attribution_cfg"]["gan"] = {}
    return kept


def without_effect(values: Plain, config: Plain, ignored: frozenset[str]) -> list[str]:
    """Say which of a preset's values a config replaces by its own.

    Args:
        values: Of the preset.
        config: The config with the preset beneath.
        ignored: Last parts of keys that are not worth a word.
    """
    return [
        f"{key} ({own}, not {value})"
        for key, value in _leaves(values)
        if key.rpartition(".")[2] not in ignored and (own := lookup(config, key)) != value
    ]


def _leaves(values: Plain, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
