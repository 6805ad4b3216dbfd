"""Fitted statistics in a file that holds numbers and names, and nothing that is executed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from input_iba.core.explainable import weights_digest
from input_iba.core.files import written_whole
from input_iba.errors import ConfigError, DataError
from input_iba.records import FeatureStatistics

ARRAYS = ("mean", "std", "nonzero")


def write_fitted(path: Path, statistics: FeatureStatistics, layer: str, model: nn.Module) -> Path:
    """Write the statistics of a model's layer, whole or not at all; return the path."""
    arrays = {name: getattr(statistics, name).cpu().numpy() for name in ARRAYS}
    with written_whole(path) as aside, aside.open("wb") as file:
        np.savez(
            file,
            **arrays,
            count=np.array(statistics.count),
            layer=np.array(layer),
            weights=np.array(weights_digest(model)),
        )
    return path


def read_fitted(path: Path, model: nn.Module) -> tuple[FeatureStatistics, str]:
    """Read what `write_fitted` wrote: statistics, and the name of their layer.

    Raises:
        DataError: The file is absent, or is something else.
        ConfigError: It is about a model with other weights.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, std, nonzero = (torch.from_numpy(arrays[name]) for name in ARRAYS)
            statistics = FeatureStatistics(mean, std, nonzero, int(arrays["count"]))
            layer, weights = str(arrays["layer"]), str(arrays["weights"])
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist. InputIBA.save(path) writes it.") from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
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
