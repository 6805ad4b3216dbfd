"""Fitted statistics in a file that holds numbers and names, and nothing that is executed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from input_iba.core.files import written_whole
from input_iba.errors import DataError
from input_iba.records import FeatureStatistics

ARRAYS = ("mean", "std", "nonzero")


@dataclass(frozen=True)
class Fitted:
    """Statistics, and what they are of.

    Attributes:
        statistics: Of the layer.
        layer: Its name.
        weights: Digest of the model's weights.
    """

    statistics: FeatureStatistics
    layer: str
    weights: str


def write_fitted(path: Path, fitted: Fitted) -> Path:
    """Write statistics, whole or not at all; return the path."""
    statistics = fitted.statistics
    arrays = {name: getattr(statistics, name).cpu().numpy() for name in ARRAYS}
    with written_whole(path) as aside, aside.open("wb") as file:
        np.savez(
            file,
            **arrays,
            count=np.array(statistics.count),
            layer=np.array(fitted.layer),
            weights=np.array(fitted.weights),
        )
    return path


def read_fitted(path: Path) -> Fitted:
    """Read what `write_fitted` wrote.

    Raises:
        DataError: The file is absent, or is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            mean, std, nonzero = (torch.from_numpy(arrays[name]) for name in ARRAYS)
            statistics = FeatureStatistics(mean, std, nonzero, int(arrays["count"]))
            return Fitted(statistics, str(arrays["layer"]), str(arrays["weights"]))
    except FileNotFoundError as error:
        raise DataError(f"'{path}' does not exist. InputIBA.save(path) writes it.") from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"'{path}' does not hold fitted statistics: {error}. Expected a file that "
            "InputIBA.save(path) wrote."
        ) from error
