"""Presets: parameters beneath a config's own, which `--preset` can put others in place of.

A config names one by the key `preset`, or inherits a file that does. Whatever it writes itself, or
inherits from any other file, counts with every preset. Each has parameters for text of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from input_iba.errors import ConfigError, closest

PRESETS = ("fast", "instant", "paper")

TEXT = "_text"
"""Ending of the names of parameters for text."""

DELETE_KEY = "_delete_"
"""Key of a section that takes nothing from beneath, as mmengine has it."""

KEY = "preset"
"""Key of a config that names its preset."""

PRIOR_TYPE = "attributor.gan.type"
"""Key that says which class the prior's other keys are for."""

Plain = Mapping[str, Any]


def preset_values(name: str) -> dict[str, Any]:
    """Return the parameters of a preset; `name` with `TEXT` behind it has those for text.

    >>> sorted(preset_values("paper"))
    ['attribution_cfg', 'attributor', 'estimation_cfg']
    """
    if name.removesuffix(TEXT) not in PRESETS:
        raise ConfigError(
            f"Unknown preset {name!r}.{closest(name, PRESETS)} Known: {', '.join(PRESETS)}."
        )
    # Imported here, because --help needs the names alone.
    from input_iba.attribution.presets import as_config

    return as_config(name.removesuffix(TEXT), "texts" if name.endswith(TEXT) else "images")


def put_beneath(values: Plain, config: Plain) -> dict[str, Any]:
    """Return a config with a preset's values where it has none of its own.

    As among bases, a section with `_delete_=True` takes nothing from beneath.

    >>> put_beneath({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}, "d": 4})
    {'a': {'b': 3, 'c': 2}, 'd': 4}
    >>> put_beneath({"a": {"b": 1, "c": 2}}, {"a": {"b": 3, "_delete_": True}})
    {'a': {'b': 3}}
    """
    merged = dict(values)
    for key, own in config.items():
        below = values.get(key)
        if not isinstance(own, Mapping) or not isinstance(below, Mapping):
            merged[key] = own
        elif own.get(DELETE_KEY):
            merged[key] = {k: v for k, v in own.items() if k != DELETE_KEY}
        else:
            merged[key] = put_beneath(below, own)
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


def without_prior(values: Plain) -> dict[str, Any]:
    """Return a preset's values without those that are for its own type of prior."""
    kept: dict[str, Any] = deepcopy(dict(values))
    kept["attributor"]["gan"] = {"type": lookup(values, PRIOR_TYPE)}
    kept["attribution_cfg"]["gan"] = {}
    return kept


def without_effect(values: Plain, config: Plain, ignored: frozenset[str]) -> list[str]:
    """Return which of a preset's values a config replaces, but for keys that end as the ignored."""
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
