"""Registries: from the `type` names of configs to the classes they stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from mmengine.registry import Registry

from input_iba.errors import ConfigError, InputIBAError, closest

CLASSIFIERS = Registry("classifier")
DATASETS = Registry("data set")
TRANSFORMS = Registry("transform")
PRIORS = Registry("prior")
BASELINES = Registry("baseline")
TARGETS = Registry("target")

REFUSALS = (
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    OSError,
)
"""What is raised by classes that are given values that they are not made for."""


def lookup(registry: Registry, name: Any) -> Callable[..., Any]:
    """Return the class or function registered as `name`, or raise a `ConfigError`."""
    known: dict[str, Callable[..., Any]] = registry.module_dict
    if not isinstance(name, str) or name not in known:
        raise ConfigError(
            f"Unknown {registry.name} type {name!r}.{closest(str(name), known)} "
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
        ConfigError: `type` is missing or unknown, a key is not an argument of the type, or it
            cannot be built with these values.
    """
    if not isinstance(cfg, Mapping) or "type" not in cfg:
        raise ConfigError(f"A {registry.name} config needs the key 'type'; got {cfg!r}.")
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
    try:
        return target(**arguments, **objects)
    except InputIBAError:
        raise
    except REFUSALS as error:
        reason = str(error) or type(error).__name__
        raise ConfigError(
            f"{registry.name} {cfg['type']!r} cannot be built: {reason}. Correct its values: "
            f"{arguments}."
        ) from error
