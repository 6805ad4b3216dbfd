"""A config whose samples another method explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from input_iba.attribution.methods import IBA, Method, check_explains
from input_iba.config.load import RunConfig
from input_iba.config.sections import Plain
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES, check_keys, lookup
from input_iba.settings import declarations, read


def with_baseline(
    config: RunConfig,
    method: str,
    layer: str | None = None,
    overrides: Plain | None = None,
    **settings: Any,
) -> RunConfig:
    """Return a config whose samples another method explains, instead of the three stages.

    Settings come from the config's `baseline = dict(type=..., ...)` where it is about the same
    method, and from the overrides that it was loaded with; a `layer` and other
    `settings` count over both.

    Raises:
        ConfigError: There is no such method or setting, or it cannot explain what is given.
    """
    kind: Any = lookup(BASELINES, method)
    check_explains(kind, config.kind.name)
    section = dict(config.raw.get("baseline", {}))
    type_, warnings = section.pop("type", method), config.warnings
    if type_ != method:
        own = {key.removeprefix("baseline.") for key in overrides or {}}
        section = {key: value for key, value in section.items() if key in own}
        warnings += (f"'baseline' of '{config.path}' is about {type_!r} and has no effect.",)
    known = set(declarations(kind))
    section |= settings
    if layer is not None:
        if "layer" not in known:
            raise ConfigError(f"--saliency-layer has no effect: {method!r} looks at no layer.")
        section["layer"] = layer
    check_keys(section, known, f"section 'baseline' of '{config.path}' for {method!r}")
    built: Method = read(kind, section, "baseline", f"'{config.path}'")
    if isinstance(built, IBA):
        built = replace(built, layer=built.layer or config.layer, feature_iba=config.feature_iba)
    raw = {**config.raw, "baseline": {"type": method, **section}}
    return replace(config, raw=raw, baseline=built, warnings=warnings)
