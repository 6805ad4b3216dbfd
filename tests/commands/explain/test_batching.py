"""How many samples are explained at once: as asked for, or what fits; never another mask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.commands.explain.job import SamplesPerBatch, choose_samples_per_batch
from input_iba.commands.explain.run import run_attribution
from input_iba.config.load import RunConfig, load_config
from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.fitting import fitting_samples
from input_iba.core.statistics import RunningStatistics
from input_iba.errors import ConfigError, ResumeError
from input_iba.records import Attribution, Failure
from input_iba.registry import PRIORS, build
from input_iba.run.options import RunOptions
from tests.tiny_runs import FakeExplainer, manifest, run

CPU, GPU = torch.device("cpu"), torch.device("cuda")
NUMBERS: list[SamplesPerBatch] = [1, 3, "auto"]


@pytest.mark.parametrize(
    ("size", "draws", "device", "most", "expected"),
    [
        (224, 10, CPU, 100, 3),
        (224, 10, GPU, 100, 25),
        (32, 10, CPU, 1000, 156),
        (32, 10, CPU, 60, 60),
        (32, 10, GPU, 10000, 1254),
        (2000, 10, CPU, 100, 1),
        (224, 64, CPU, 100, 1),
    ],
)
def test_auto_fills_the_classifier_once(
    size: int, draws: int, device: torch.device, most: int, expected: int
) -> None:
    assert fitting_samples((3, size, size), draws, device, most) == expected


@pytest.mark.parametrize(
    ("wanted", "earlier", "expected"),
    [(None, None, 4), (7, None, 7), ("auto", None, 9), (None, 5, 5), ("auto", 5, 5), (5, 5, 5)],
)
def test_the_size_is_the_earlier_runs_or_the_one_asked_for(
    wanted: SamplesPerBatch | None, earlier: int | None, expected: int
) -> None:
    assert choose_samples_per_batch(wanted, 4, earlier, lambda: 9) == expected


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ResumeError, match="--samples-per-batch: was 5, now 4"):
        choose_samples_per_batch(4, 5, 5, lambda: 9)
    bad: list[Any] = [0, -1, 2.0, True, "all"]
    for wanted in bad:
        with pytest.raises(ConfigError, match="1 or more, or 'auto', got"):
            choose_samples_per_batch(wanted, 4, None, lambda: 9)


@pytest.mark.slow
def test_auto_is_recorded_and_a_continued_run_is_cut_alike(
    many: RunConfig, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = "input_iba.core.fitting.PIXELS_AT_ONCE"
    monkeypatch.setattr(fill, 16 * 32 * 32)
    assert (many.feature_iba.batch_size, many.input_iba.batch_size) == (2, 2)
    auto = replace(options, samples_per_batch="auto")
    fake = FakeExplainer()

    def stop(ids: Sequence[str]) -> BaseException | None:
        return KeyboardInterrupt() if len(fake.calls) == 2 else None

    fake.refuse = stop
    with pytest.raises(KeyboardInterrupt):
        run(many, auto, fake)
    values = manifest(options)
    assert (values["samples_per_batch"], values["options"]["samples_per_batch"]) == (8, "auto")
    monkeypatch.setattr(fill, 10**9)
    with pytest.raises(ResumeError, match="--samples-per-batch: was 8, now 4"):
        run(many, replace(options, resume=True, samples_per_batch=4))
    _, resumed = run(many, replace(auto, resume=True))
    assert [len(ids) for ids in resumed.calls] == [8, 5]
    assert [*fake.calls[:1], *resumed.calls] == whole_cut(many, options, 8)


def whole_cut(config: RunConfig, options: RunOptions, size: int) -> list[list[str]]:
    """Return the batches of a run from the beginning."""
    assert options.work_dir is not None
    other = replace(options, work_dir=options.work_dir / "whole", samples_per_batch=size)
    return run(config, other)[1].calls


def test_a_number_counts_instead_of_the_configs(config: RunConfig, options: RunOptions) -> None:
    _, fake = run(config, replace(options, samples_per_batch=3))
    assert [len(ids) for ids in fake.calls] == [3, 2]
    assert manifest(options)["samples_per_batch"] == 3


def test_auto_needs_no_first_sample(config: RunConfig, options: RunOptions, pictures: Path) -> None:
    auto = replace(options, samples_per_batch="auto")
    (pictures / "attribution" / "cat" / "1.png").write_text("no picture")
    result, fake = run(config, auto)
    assert (result.done, fake.calls[0]) == (4, ["cat__2", "dog__1", "dog__2", "3"])
    for path in (pictures / "attribution").rglob("*.png"):
        path.write_text("no picture")
    assert options.work_dir is not None
    result, _ = run(config, replace(auto, work_dir=options.work_dir / "none"))
    assert (result.done, result.failed) == (0, 5)


class InDouble(Attributor):
    """Computes in float64, where what is computed together makes no difference that is stored."""

    @contextmanager
    def estimating(
        self, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> Iterator[Callable[..., RunningStatistics]]:
        with super().estimating(example.double(), beside) as statistics_of:
            yield lambda batch: statistics_of(batch.double())

    def attribute(self, inputs: Tensor, *args: Any, **options: Any) -> list[Attribution | Failure]:
        return super().attribute(inputs.double(), *args, **options)


def build_in_double(config: RunConfig, *_: object) -> InDouble:
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 3, stride=4), nn.Tanh()),
        *(nn.Flatten(), nn.Linear(256, 2)),
    )
    return InDouble(
        net.double(),
        "1",
        feature_iba=config.feature_iba,
        prior=build(PRIORS, config.prior),
        input_iba=config.input_iba,
    )


@pytest.mark.slow
def test_the_real_masks_do_not_depend_on_the_number(
    config_file: Path, options: RunOptions, tmp_path: Path
) -> None:
    config = load_config(config_file, {"attribution_cfg.input_iba.opt_steps": 8})
    found = []
    for number in NUMBERS:
        work = tmp_path / str(number)
        chosen = replace(options, work_dir=work, samples_per_batch=number)
        assert run_attribution(config, chosen, build_in_double).done == 5
        paths = sorted((work / "input_masks").glob("*.npz"))
        found.append(np.stack([np.load(path)["mask"] for path in paths]))
    sizes = [json.loads((tmp_path / str(n) / "manifest.json").read_text()) for n in NUMBERS]
    assert [values["samples_per_batch"] for values in sizes] == [1, 3, 5]
    assert np.ptp(found[0]) > 0.1
    for masks in found[1:]:
        np.testing.assert_allclose(masks, found[0], rtol=0, atol=1e-6)
