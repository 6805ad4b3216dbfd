"""Feature statistics over the estimation set, kept in the work directory."""

from __future__ import annotations

import hashlib
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from input_iba.datasets import SampleDataset
from input_iba.engine.build import Explainer
from input_iba.engine.config import RunConfig
from input_iba.engine.loading import cut, read_batches
from input_iba.engine.logs import LOGGER
from input_iba.engine.progress import refresh_seconds
from input_iba.records import FeatureStatistics, Sample
from input_iba.results import Identity, write_arrays

FEW = 100
"""Below this many samples means and deviations are rough; the method's papers use 10,000."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""

REPORTED = 5
"""Bad samples that are named one by one; the others are counted."""


def provide_statistics(
    explainer: Explainer,
    dataset: SampleDataset,
    config: RunConfig,
    identity: Identity,
    cache: Path,
    shown: bool | None = None,
) -> int:
    """Load the statistics from the work directory, or estimate and save them.

    Args:
        explainer: Keeps the statistics; its `estimate` computes them.
        dataset: The estimation set.
        config: Layer, number of samples, loader.
        identity: What the statistics depend on, beside the config.
        cache: The npz in the work directory.
        shown: Whether a bar shows; None for on a terminal only.

    Returns:
        How many samples of the estimation set could not be read.

    Raises:
        AttributionError: The estimation set has fewer than two usable samples.
    """
    key = _key(config, identity)
    found = _load(cache, key)
    if found is not None:
        LOGGER.info("Feature statistics of %d samples: from %s", found.count, cache.name)
        explainer.statistics = found
        return 0
    wanted = config.estimation.n_samples
    visible = shown if shown is not None else sys.stderr.isatty()
    with tqdm(
        total=min(wanted, len(dataset)),
        desc="feature statistics",
        unit="sample",
        disable=not visible,
        dynamic_ncols=True,
        mininterval=refresh_seconds(),
    ) as bar:
        bad: list[str] = []
        batches = _inputs(dataset, config, identity.seed, bar, bad)
        found = explainer.estimate(batches, n_samples=wanted)
    _warn_if_few(found.count, wanted)
    _save(cache, found, key)
    LOGGER.info("Feature statistics of %d samples: saved to %s", found.count, cache.name)
    return len(bad)


def _warn_if_few(count: int, wanted: int) -> None:
    if count < wanted:
        LOGGER.warning(
            "Only %d of %d estimation samples are there; statistics get better with more.",
            *(count, wanted),
        )
    elif count < FEW:
        LOGGER.warning(
            "%d estimation samples are few: means and deviations of the layer will be rough. "
            "Set estimation_cfg.n_samples to %d or more.",
            *(count, FEW),
        )


def _inputs(
    dataset: SampleDataset, config: RunConfig, seed: int, bar: tqdm[None], bad: list[str]
) -> Iterator[Tensor]:
    """Yield batches of inputs (B, C, H, W), at most `n_samples` in all; note bad ids in `bad`."""
    generator = torch.Generator().manual_seed(seed)
    count = len(dataset)
    order = (
        torch.randperm(count, generator=generator).tolist()
        if config.loader.shuffle
        else list(range(count))
    )
    left = config.estimation.n_samples
    size = max(AT_ONCE, config.loader.batch_size)
    for batch in read_batches(dataset, cut(order, size), config.loader.num_workers):
        good: dict[tuple[int, ...], list[Tensor]] = {}
        for item in batch:
            if not isinstance(item, Sample):
                bad.append(item.id)
                if len(bad) <= REPORTED:
                    LOGGER.warning("Estimation sample %s is left out: %s", item.id, item.reason)
            elif left > 0:
                good.setdefault(tuple(item.input.shape), []).append(item.input)
                left -= 1
        for inputs in good.values():
            bar.update(len(inputs))
            yield torch.stack(inputs)
        if left <= 0:
            break
    if len(bad) > REPORTED:
        LOGGER.warning("%d estimation samples were left out in all.", len(bad))


def _key(config: RunConfig, identity: Identity) -> str:
    parts = (
        *(identity.classifier, config.layer, config.feature_iba.input_or_output),
        *(identity.estimation_data, config.estimation.n_samples, config.loader.shuffle),
        *(identity.seed, identity.precision),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _save(path: Path, statistics: FeatureStatistics, key: str) -> None:
    write_arrays(
        path,
        mean=statistics.mean.cpu().numpy(),
        std=statistics.std.cpu().numpy(),
        nonzero=statistics.nonzero.cpu().numpy(),
        count=np.array(statistics.count),
        key=np.array(key),
    )


def _load(path: Path, key: str) -> FeatureStatistics | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["key"]) != key:
                return None
            mean, std, nonzero = (
                torch.from_numpy(arrays[name]) for name in ("mean", "std", "nonzero")
            )
            return FeatureStatistics(mean, std, nonzero, int(arrays["count"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
