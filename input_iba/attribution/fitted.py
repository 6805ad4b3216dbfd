"""Fitted statistics in a file that holds numbers and names, and nothing that is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from input_iba.core.arrays import read_arrays, write_arrays
from input_iba.core.explainable import weights_digest
from input_iba.errors import ConfigError, DataError
from input_iba.records import FeatureStatistics

ARRAYS = ("mean", "std", "nonzero")
FLOATS = (np.float16, np.float32, np.float64)


def statistics_of(arrays: Mapping[str, NDArray[Any]]) -> FeatureStatistics:
    """Return the statistics in `ARRAYS` and 'count'.

    Raises:
        KeyError: One of them is absent.
        ValueError: They are not statistics.
    """
    found, count = [arrays[name] for name in ARRAYS], arrays["count"]
    mean, std, nonzero = found
    if any(one.dtype not in FLOATS or one.shape != mean.shape for one in found):
        raise ValueError("expected floating-point arrays of one shape")
    if not all(np.isfinite(one).all() for one in found) or (std < 0).any():
        raise ValueError("expected finite values, and no deviation below 0")
    if (nonzero < 0).any() or (nonzero > 1).any() or count.shape or count.dtype.kind not in "iu":
        raise ValueError("expected shares in [0, 1], and a whole number of samples")
    mean_, std_, nonzero_ = map(torch.from_numpy, found)
    return FeatureStatistics(mean_, std_, nonzero_, int(count))


def _arrays_of(statistics: FeatureStatistics) -> dict[str, NDArray[Any]]:
    arrays = {name: getattr(statistics, name).cpu().numpy() for name in ARRAYS}
    return {**arrays, "count": np.array(statistics.count)}


def write_statistics(path: Path, statistics: FeatureStatistics, key: str) -> None:
    """Write statistics under a key that says what they are of, whole or not at all."""
    write_arrays(path, **_arrays_of(statistics), key=np.array(key))


def read_statistics(path: Path, key: str) -> FeatureStatistics | None:
    """Read what `write_statistics` wrote under a key; None where that is not in the file."""
    try:
        arrays = read_arrays(path, {*ARRAYS, "count", "key"})
        return statistics_of(arrays) if str(arrays["key"]) == key else None
    except (OSError, ValueError, KeyError):
        return None


def write_fitted(path: Path, statistics: FeatureStatistics, layer: str, model: nn.Module) -> Path:
    """Write the statistics of a model's layer, whole or not at all; return the path."""
    what = {"layer": np.array(layer), "weights": np.array(weights_digest(model))}
    write_arrays(path, **_arrays_of(statistics), **what)
    return path


def read_fitted(path: Path, model: nn.Module) -> tuple[FeatureStatistics, str]:
    """Read what `write_fitted` wrote: statistics, and the name of their layer.

    Raises:
        DataError: The file is absent, or is something else.
        ConfigError: It is about a model with other weights.
    """
    try:
        arrays = read_arrays(path, {*ARRAYS, "count", "layer", "weights"})
        statistics = statistics_of(arrays)
        layer, weights = str(arrays["layer"]), str(arrays["weights"])
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist. InputIBA.save(path) writes it.") from error
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"'{path}' does not hold fitted statistics: {error}. Expected a file that "
            "InputIBA.save(path) wrote."
        ) from error
    if weights != weights_digest(model):
        raise ConfigError(
            f"'{path}' was fitted on a model with other weights than this one. Load the "
            "weights first, or fit() anew."
        )
    return statistics, layer
