"""Settings of a run as frozen dataclasses, read from sections of a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from input_iba.errors import ConfigError

Settings = TypeVar("Settings")

LEAST = {"batch_size": 1, "n_samples": 1, "opt_steps": 1, "num_workers": 0}
"""Smallest values of counts."""


@dataclass(frozen=True)
class LoaderSettings:
    """How samples are read.

    Attributes:
        batch_size: Samples explained at once.
        shuffle: Whether the estimation set is drawn in random order (seeded).
        num_workers: Processes that read and preprocess; 0 reads in the run's own.
    """

    batch_size: int = 1
    shuffle: bool = True
    num_workers: int = 0


@dataclass(frozen=True)
class EstimationSettings:
    """How feature statistics are estimated.

    Attributes:
        n_samples: Number of samples, at most those of the estimation set.
        verbose: Accepted from published configs; progress is reported anyway.
    """

    n_samples: int = 1000
    verbose: bool = False


def read_settings(
    kind: type[Settings], raw: Mapping[str, Any], sections: Sequence[str], path: Path
) -> Settings:
    """Make a settings object of the sections that hold its keys.

    Args:
        kind: A dataclass whose every field has a default.
        raw: The whole config as plain data.
        sections: Dotted names of the sections; keys that are no fields are left to others.
        path: The config file, for messages.

    Raises:
        ConfigError: A value is not of its default's type, or not in its range.
    """
    values: dict[str, Any] = {}
    defaults = kind()
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    for section in sections:
        for key, value in _lookup(raw, section).items():
            if key == "sigma" and value is None:
                values[key] = 0.0  # as in IBA's own code: no smoothing
            elif key in known:
                where = f"'{section}.{key}' of '{path}'"
                values[key] = of_type(value, getattr(defaults, key), where)
                if key in LEAST and values[key] < LEAST[key]:
                    raise ConfigError(f"{where} must be at least {LEAST[key]}, got {value}.")
    try:
        return kind(**values)
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"{' and '.join(sections)} of '{path}': {error}") from error


def of_type(value: Any, default: Any, where: str) -> Any:
    """Return a value as the type of its default.

    An int may stand for a float, and a list for a tuple that is not empty.

    Raises:
        ConfigError: The value is of another type.
    """
    expected = type(default)
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if expected is tuple and isinstance(value, list):
        return tuple(of_type(item, default[0], f"every item of {where}") for item in value)
    if type(value) is not expected:
        raise ConfigError(f"{where} must be of type {expected.__name__}, got {value!r}.")
    return value


def _lookup(raw: Mapping[str, Any], dotted: str) -> Mapping[str, Any]:
    value: Any = raw
    for key in dotted.split("."):
        value = value.get(key, {})
    found: Mapping[str, Any] = value
    return found
