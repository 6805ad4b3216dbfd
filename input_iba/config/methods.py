"""From the name of another method, and the config's section about it, to its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from input_iba.attribution.methods import IBA, Method, check_explains
from input_iba.config.load import RunConfig
from input_iba.config.settings import read_settings
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES, check_keys, lookup

SECTION = "baseline"


def with_baseline(
    config: RunConfig,
    method: str,
    layer: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> RunConfig:
    """Let another method explain what a config names, instead of the three stages.

    Settings come from the config's `baseline = dict(type=..., ...)` where it is about the same
    method, and from overrides of its keys.

    Args:
        config: Names classifier and samples.
        method: Name of the method.
        layer: Layer for it to look at; None for the config's, or the method's own choice.
        overrides: From dotted keys to values, as they were given when the config was loaded.

    Raises:
        ConfigError: There is no such method or setting, or a value cannot be; or the config is
            about texts, which the method cannot explain.
    """
    kind = lookup(BASELINES, method)
    assert isinstance(kind, type)
    assert issubclass(kind, Method)
    if config.text_modality:
        check_explains(kind, "texts")
    section = dict(config.raw.get(SECTION, {}))
    type_, warnings = section.pop("type", method), config.warnings
    if type_ != method:
        own = {key.removeprefix(f"{SECTION}.") for key in overrides or {}}
        section = {key: value for key, value in section.items() if key in own}
        warnings += (f"'{SECTION}' of '{config.path}' is about {type_!r} and has no effect.",)
    if layer is not None:
        section["layer"] = layer
    settings = {item.name for item in fields(kind) if item.name != "feature_iba"}
    if layer is not None and "layer" not in settings:
        raise ConfigError(f"--saliency-layer has no effect: {method!r} looks at no layer.")
    check_keys(section, settings, f"section '{SECTION}' of '{config.path}' for {method!r}")
    built = read_settings(kind, {SECTION: section}, [SECTION], config.path)
    if isinstance(built, IBA):
        built = replace(built, layer=built.layer or config.layer, feature_iba=config.feature_iba)
    raw = {**config.raw, SECTION: {"type": method, **section}}
    return replace(config, raw=raw, baseline=built, warnings=warnings)
