"""Settings of a run that commands and configs have in common, without what a model needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from input_iba.errors import ConfigError
from input_iba.settings import Settings, setting, typed


@dataclass(frozen=True)
class LoaderSettings(Settings):
    """How samples are read."""

    batch_size: int = setting(1, "samples explained at once", at_least=1)
    shuffle: bool = setting(True, "draw the estimation set in random order (seeded)")
    num_workers: int = setting(
        0,
        "processes that read and preprocess; 0 reads in the run's own",
        at_least=0,
        changes_result=False,
    )


@dataclass(frozen=True)
class EstimationSettings(Settings):
    """How feature statistics are estimated."""

    n_samples: int = setting(
        1000, "number of samples, at most those of the estimation set", at_least=1
    )
    verbose: bool = setting(
        False,
        "accepted from published configs; progress is reported anyway",
        changes_result=False,
    )


@dataclass(frozen=True, kw_only=True)
class AttributionKeys(Settings):
    """Keys of `attribution_cfg` beside its sections."""

    PLACE = "attribution_cfg."

    internal_batch_size: int | None = setting(
        None,
        "most rows that the classifier sees at once, which bounds memory; the same as "
        "attribution_cfg.internal_batch_size",
        at_least=1,
    )


def read_settings(
    kind: type[Any], raw: Mapping[str, Any], sections: Sequence[str], path: Path
) -> Any:
    """Return settings of undeclared fields, by the types of their defaults."""
    defaults, values = kind(), dict[str, Any]()
    for section in sections:
        for key, value in raw.get(section, {}).items():
            where = f"'{section}.{key}' of '{path}'"
            default = getattr(defaults, key)
            several = isinstance(default, tuple)
            hint: Any = tuple[type(default[0]), ...] if several else type(default)  # type: ignore[misc]
            values[key] = typed(value, hint, where)
            if key in ("batch_size", "num_workers") and values[key] < (key == "batch_size"):
                raise ConfigError(
                    f"{where} must be at least {int(key == 'batch_size')}, got {value}."
                )
    try:
        return kind(**values)
    except (ConfigError, ValueError) as error:
        raise ConfigError(f"{' and '.join(sections)} of '{path}': {error}") from error
