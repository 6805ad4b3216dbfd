"""From a config file, its bases, a preset and options to one dict of plain, checked data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from input_iba.config import presets, schema
from input_iba.config.prior_keys import of_other_priors
from input_iba.errors import ConfigError

Plain = Mapping[str, Any]

Layers = tuple[dict[str, Any], tuple[str, ...], str | None]
"""Plain data, warnings, and the name of the preset that a file inherits, if any."""


@dataclass(frozen=True)
class PlainConfig:
    """A config as plain data.

    Attributes:
        values: All of it, under present names, with known keys and types only.
        preset: Name of the preset beneath the config's own values, if any.
        warnings: What the user should change.
    """

    values: dict[str, Any]
    preset: str | None
    warnings: tuple[str, ...]


def assemble(
    file: Path, overrides: Plain, preset: str | None, content: Plain | None = None
) -> PlainConfig:
    """Read a config file, put a preset beneath and options on top, and check what comes of them.

    Args:
        file: An mmcv-style Python config.
        overrides: From dotted keys to values.
        preset: Replaces the preset that the config inherits, or is put beneath a config without
            one; None takes the config as it is.
        content: Taken instead of what the file holds.

    Raises:
        ConfigError: Says file, section, key and remedy.
    """
    options = {_present_name(key): value for key, value in overrides.items()}
    raw, warnings, inherited = _layered(file, None, content)
    name = preset or inherited
    if name is not None:
        text = str(presets.lookup(raw, "attributor.type")).startswith("NLP")
        values = presets.preset_values(name + presets.TEXT if text else name)
        if preset is not None:
            raw, warnings, _ = _layered(file, values, content)
        prior = options.get(presets.PRIOR_TYPE, presets.lookup(raw, presets.PRIOR_TYPE))
        if prior != presets.lookup(values, presets.PRIOR_TYPE):
            values = presets.for_prior(values, prior)
            raw, warnings, _ = _layered(file, values, content)
        if preset is not None:
            warnings += tuple(_replaced(preset, values, raw))
    schema.imply_types(raw)
    schema.validate(raw, f"'{file}'")
    if options:
        raw, more = _overridden(raw, options, file)
        warnings += more
    return PlainConfig(raw, name, warnings)


def _present_name(dotted: str) -> str:
    return ".".join(schema.RENAMED.get(key, key) for key in dotted.split("."))


def _layered(
    path: Path, values: Plain | None, content: Plain | None
) -> tuple[dict[str, Any], tuple[str, ...], str | None]:
    """Read a file, unchecked, with `values` in place of the preset it inherits, or beneath it."""
    config, inherited = read_file(path, values) if content is None else (Config(content), None)
    raw, warnings = _plain(schema.without_own_names(config))
    if values is not None and inherited is None:
        raw = presets.put_beneath(values, raw)
    return raw, warnings, inherited


def read_file(path: Path, values: Plain | None = None) -> tuple[Config, str | None]:
    """Let mmengine read a file and its bases; whatever is wrong becomes one kind of error.

    Args:
        path: The file.
        values: Put in place of the preset that the file inherits; None leaves it.

    Returns:
        The config, unchecked, and the name of the preset it inherits, if any.

    Raises:
        ConfigError: The file is not a config.
    """
    try:
        return presets.read_config(path, values)
    except SyntaxError as error:
        raise ConfigError(
            f"Config file '{error.filename or path}' is not valid Python, line {error.lineno}: "
            f"{error.msg}."
        ) from error
    except FileNotFoundError as error:
        raise ConfigError(f"A _base_ of config file '{path}' is missing: {error}.") from error
    # A config is code of the user's own: anything can come out of it.
    except Exception as error:
        raise ConfigError(
            f"Config file '{path}' cannot be read: {type(error).__name__}: {error}."
        ) from error


def _plain(config: Plain) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a config as plain data under present names, and a warning for each old one."""
    raw: dict[str, Any] = {key: schema.plain(value, key) for key, value in config.items()}
    return raw, tuple(schema.rename(raw))


def _replaced(preset: str, values: Plain, raw: dict[str, Any]) -> Iterator[str]:
    """Say what of a chosen preset has no effect; drop what its prior does not take, in place."""
    if own := presets.without_effect(values, raw, schema.WITHOUT_EFFECT):
        yield f"--preset {preset}: the config's own values count for {', '.join(own)}."
    type_ = presets.lookup(raw, presets.PRIOR_TYPE)
    for section in schema.PRIOR_SECTIONS:
        keys = presets.lookup(raw, section)
        for key in of_other_priors(keys, schema.SECTIONS[section], type_):
            del keys[key]
            yield (
                f"--preset {preset}: '{section}.{key}' of the config has no effect, because "
                f"{type_} takes no such key."
            )


def _overridden(
    raw: dict[str, Any], options: Plain, path: Path
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Apply overrides, and check what comes of them."""
    named = f"--cfg-options {' '.join(options)}"
    config = Config(raw)
    try:
        config.merge_from_dict(dict(options))
    except (KeyError, TypeError, ValueError, IndexError, AssertionError) as error:
        raise ConfigError(f"{named} does not fit '{path}': {error}") from error
    raw, warnings = _plain(config)
    schema.imply_types(raw)
    schema.validate(raw, f"'{path}' with {named}")
    return raw, warnings
