"""Registries: from the `type` names of configs to the classes they stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.registry import Registry

from input_iba.errors import ConfigError, closest

CLASSIFIERS = Registry("classifier")
DATASETS = Registry("data set")
TRANSFORMS = Registry("transform")
PRIORS = Registry("prior")
BASELINES = Registry("baseline")
TARGETS = Registry("target")


def lookup(registry: Registry, name: str) -> Callable[..., Any]:
    """Return the class or function registered as `name`, or raise a `ConfigError`."""
    known: dict[str, Callable[..., Any]] = registry.module_dict
    if name not in known:
        raise ConfigError(
            f"Unknown {registry.name} type {name!r}.{closest(name, known)} "
            f"Known: {', '.join(sorted(known))}."
        )
    return known[name]


def check_keys(given: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """Raise a `ConfigError` for a key that is not among those allowed, with the closest match."""
    for key in given:
        if key not in allowed:
            raise ConfigError(
                f"Unknown key {key!r} in {where}.{closest(key, allowed)} "
                f"Allowed: {', '.join(sorted(allowed))}."
            )


def build(registry: Registry, cfg: Mapping[str, Any], **objects: Any) -> Any:
    """Build what `cfg['type']` names, with the config's other keys and `objects` as arguments.

    Raises:
        ConfigError: `type` is missing or unknown, or a key is not an argument of the type.
    """
    if "type" not in cfg:
        raise ConfigError(f"A {registry.name} config needs the key 'type'; got {sorted(cfg)}.")
    target = lookup(registry, cfg["type"])
    arguments = {key: value for key, value in cfg.items() if key != "type"}
    parameters = inspect.signature(target).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        allowed = set(parameters) - set(objects)
        check_keys(arguments, allowed, f"{registry.name} {cfg['type']!r}")
    try:
        inspect.signature(target).bind(**arguments, **objects)
    except TypeError as error:
        raise ConfigError(f"{registry.name} {cfg['type']!r}: {error}.") from error
    return target(**arguments, **objects)
