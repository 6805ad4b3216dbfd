"""Feature statistics have the same bits with any number of processes."""

from __future__ import annotations

import copy
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.commands.explain import estimation
from input_iba.commands.explain.estimation import provide_statistics
from input_iba.config.build import Explainer
from input_iba.config.load import RunConfig
from input_iba.config.settings import EstimationSettings, LoaderSettings
from input_iba.core.statistics import RunningStatistics
from input_iba.datasets import SampleDataset
from input_iba.errors import AttributionError, DataError, ProcessError
from input_iba.records import FeatureStatistics, Sample
from input_iba.results import Identity
from input_iba.run.launch import Processes
from tests.run.threads import play
from tests.tiny_runs import FakeExplainer

IDENTITY = Identity("c", "w", "d", "e", "s", 3, "fp32", "single_folder")


class Noise(SampleDataset):
    """Inputs of noise in memory, of which some cannot be read."""

    def __init__(self, count: int, bad: set[int], nan: int | None = None) -> None:
        super().__init__([f"n{i}" for i in range(count)])
        self.bad = bad
        self.inputs = torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))
        if nan is not None:
            self.inputs[nan, 0, 0, 0] = torch.nan

    def __getitem__(self, index: int) -> Sample:
        if index in self.bad:
            raise DataError(f"bad {index}")
        return Sample(self.ids[index], self.inputs[index])

    def target(self, index: int) -> None:
        return None

    def path(self, index: int) -> str:
        return ""

    def preparation(self) -> list[Any]:
        return []

    def content(self) -> list[Any]:
        return []


Outcome = tuple[FeatureStatistics, int]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimation, "AT_ONCE", 4)


def settings_of(config: RunConfig, n_samples: int, shuffle: bool = True) -> RunConfig:
    loader = LoaderSettings(batch_size=1, shuffle=shuffle)
    return replace(config, loader=loader, estimation=EstimationSettings(n_samples))


def estimate(
    config: RunConfig, dataset: Noise, cache: Path, world_size: int, network: nn.Module | None
) -> list[Outcome | Exception]:
    def part(processes: Processes) -> Outcome:
        explainer: Explainer = FakeExplainer()
        if network is not None:
            explainer = Attributor(copy.deepcopy(network), "1")
        path = cache if processes.is_main else cache.parent / "unused.npz"
        unread = provide_statistics(
            explainer, dataset, config, IDENTITY, path, shown=False, processes=processes
        )
        assert explainer.statistics is not None
        return explainer.statistics, unread

    return play(world_size, part)


def assert_same(found: FeatureStatistics, expected: FeatureStatistics) -> None:
    assert found.count == expected.count
    for name in ("mean", "std", "nonzero"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name


@pytest.mark.parametrize("world_size", [2, 3])
def test_a_layers_statistics_have_the_bits_of_one_process(
    config: RunConfig, tmp_path: Path, world_size: int
) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))
    dataset, chosen = Noise(30, bad={2, 5, 6, 7, 19}), settings_of(config, 22)
    [one] = estimate(chosen, dataset, tmp_path / "one.npz", 1, network)
    assert isinstance(one, tuple)
    many = estimate(chosen, dataset, tmp_path / "many.npz", world_size, network)
    for found in many:
        assert isinstance(found, tuple), found
        assert_same(found[0], one[0])
        assert found[1] == one[1]
    assert (tmp_path / "many.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()
    assert not (tmp_path / "unused.npz").exists()
    again = estimate(chosen, dataset, tmp_path / "many.npz", world_size, network)
    for found in again:  # from the file of the first process
        assert isinstance(found, tuple)
        assert_same(found[0], one[0])


def literal(dataset: Noise, n_samples: int) -> tuple[RunningStatistics, int]:
    """Read sample by sample in batches of four until there are enough."""
    running, unread, left = RunningStatistics(), 0, n_samples
    for start in range(0, len(dataset), 4):
        if left == 0:
            break
        batch = range(start, min(start + 4, len(dataset)))
        unread += sum(i in dataset.bad for i in batch)
        good = [dataset.inputs[i] for i in batch if i not in dataset.bad][:left]
        if good:
            running.update(torch.stack(good))
            left -= len(good)
    return running, unread


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.integers(1, 40), st.sets(st.integers(0, 39)), st.integers(2, 45), st.integers(1, 4))
def test_the_same_samples_count_wherever_bad_ones_are(
    config: RunConfig, tmp_path: Path, count: int, bad: set[int], n_samples: int, world_size: int
) -> None:
    dataset = Noise(count, bad)
    chosen = settings_of(config, n_samples, shuffle=False)
    running, unread = literal(dataset, n_samples)
    found = estimate(chosen, dataset, tmp_path / f"{uuid.uuid4()}.npz", world_size, None)
    if running.count < 2:
        assert isinstance(found[0], AttributionError)
        assert all(isinstance(error, ProcessError) for error in found[1:])
        return
    for outcome in found:
        assert isinstance(outcome, tuple), outcome
        assert_same(outcome[0], running.result())
        assert outcome[1] == unread


def test_all_prepare_on_the_sample_that_one_process_would_see_first(
    config: RunConfig, tmp_path: Path
) -> None:
    dataset, chosen = Noise(20, bad={0, 1, 2, 3, 4}), settings_of(config, 20, shuffle=False)

    def part(processes: Processes) -> list[Tensor]:
        explainer = FakeExplainer()
        cache = tmp_path / "x.npz"
        provide_statistics(explainer, dataset, chosen, IDENTITY, cache, processes=processes)
        return explainer.examples

    for world_size in (1, 2, 3):
        for examples in play(world_size, part):
            assert isinstance(examples, list), examples
            assert len(examples) == 1
            assert torch.equal(examples[0], dataset.inputs[5:6])
        (tmp_path / "x.npz").unlink()


def test_nan_in_one_share_ends_all(config: RunConfig, tmp_path: Path) -> None:
    dataset, chosen = Noise(20, set(), nan=6), settings_of(config, 20, shuffle=False)
    first, second, third = estimate(chosen, dataset, tmp_path / "x.npz", 3, None)
    assert isinstance(second, AttributionError)
    assert not second.said
    for error in (first, third):
        assert isinstance(error, ProcessError)
        assert "NaN" in str(error)
        assert error.usage
