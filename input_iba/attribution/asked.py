"""What a caller asks of which samples: targets and ids, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from input_iba.core.targets import Target
from input_iba.errors import ConfigError
from input_iba.records import Targets


def asked(targets: Targets | None, suggested: Target | None) -> Any:
    """Return targets, with classes and nothing at all as the model's output suggests to ask."""
    if suggested is None or (isinstance(targets, Tensor) and targets.ndim > 1):
        return targets
    if targets is None:
        return suggested
    if isinstance(targets, int | str):
        if not suggested.asks:
            raise ConfigError(
                f"Target {targets!r} is a class, and the model's output has none: it suggests "
                f"{suggested.type}. Give a Target (attribution_cfg.target in a config), or none."
            )
        return suggested.about(targets)
    if isinstance(targets, list | tuple):
        return [asked(one, suggested) for one in targets]
    return targets


def checked_ids(ids: Sequence[str] | None, samples: int) -> tuple[str, ...]:
    """Return the ids of some samples, by default their positions.

    Raises:
        ConfigError: There are more or fewer than samples, or two are equal.
    """
    names = tuple(ids) if ids is not None else tuple(str(i) for i in range(samples))
    if len(names) != samples or len(set(names)) != len(names):
        raise ConfigError(
            f"Expected {samples} ids that differ from each other, got {len(names)} of which "
            f"{len(set(names))} differ."
        )
    return names
