"""How much is computed at once: what fits, less when memory runs out, and never another mask."""

from __future__ import annotations

import json
import platform
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.engine.attribution_run import RunResult, run_attribution
from input_iba.engine.batching import (
    SamplesPerBatch,
    choose_samples_per_batch,
    fitting_samples,
    free_memory,
    out_of_memory,
)
from input_iba.engine.config import RunConfig, load_config
from input_iba.engine.options import RunOptions
from input_iba.errors import AttributionError, ConfigError, ResumeError
from input_iba.records import Attribution, Failure, FeatureStatistics
from input_iba.registry import PRIORS, build
from tests.engine.conftest import FakeExplainer, write_images

CPU, GPU = torch.device("cpu"), torch.device("cuda")
NUMBERS: list[SamplesPerBatch] = [1, 3, "auto"]


class SmallMemory(FakeExplainer):
    """Holds `most` samples at once, and `rows` rows where `needed` are sent unless bounded."""

    def __init__(self, most: int, rows: int = 10**6, needed: int = 1, error: Any = None) -> None:
        super().__init__()
        self.most, self.most_rows, self.needed = most, rows, needed
        self.error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        self.explained: list[str] = []

    def attribute(self, inputs: Tensor, *args: Any, **options: Any) -> list[Attribution | Failure]:
        found = super().attribute(inputs, *args, **options)
        rows = min(options["internal_batch_size"] or self.needed, self.needed)
        if len(inputs) > self.most or rows > self.most_rows:
            raise self.error
        self.explained += [record.id for record in found]
        return found

    @property
    def counts(self) -> list[int]:
        return [len(ids) for ids in self.calls]


def run(
    config: RunConfig, options: RunOptions, explainer: FakeExplainer | None = None
) -> tuple[RunResult, FakeExplainer]:
    fake = explainer or FakeExplainer()
    return run_attribution(config, options, lambda *_: fake), fake


def manifest(options: RunOptions) -> dict[str, Any]:
    assert options.work_dir is not None
    values: dict[str, Any] = json.loads((options.work_dir / "manifest.json").read_text())
    return values


def reasons(options: RunOptions) -> dict[str, str]:
    assert options.work_dir is not None
    lines = (options.work_dir / "records.jsonl").read_text().splitlines()
    return {record["id"]: record["reason"] for record in map(json.loads, lines)}


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
    with pytest.raises(ResumeError, match=r"--samples-per-batch: was 5, now 4.*Leave the option"):
        choose_samples_per_batch(4, 5, 5, lambda: 9)
    bad: list[Any] = [0, -1, 2.0, True, "all"]
    for wanted in bad:
        with pytest.raises(ConfigError, match="1 or more, or 'auto', got"):
            choose_samples_per_batch(wanted, 4, None, lambda: 9)


def test_a_real_shortage_of_memory_is_known_as_one() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**52, dtype=torch.uint8)
    assert out_of_memory(caught.value)
    free_memory()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"), True),
        (RuntimeError("cuBLAS error: CUBLAS_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (AttributionError("out of memory is what this error of ours talks about"), False),
        (ValueError("out of memory"), False),
        (KeyError("memory"), False),
    ],
)
def test_which_errors_mean_that_memory_ran_out(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected
    outer = AttributionError("the stage failed")
    outer.__cause__ = error
    assert out_of_memory(outer) is expected


@pytest.fixture
def many(pictures: Path, config_file: Path) -> RunConfig:
    """Return a config of 21 pictures of one shape, eight at once."""
    write_images(pictures / "attribution" / "cat", [f"m{i}" for i in range(16)])
    return load_config(config_file, {"data.data_loader.batch_size": 8})


@pytest.mark.parametrize("most", [1, 3, 8])
def test_halving_explains_every_sample_once_and_is_remembered(
    many: RunConfig, options: RunOptions, most: int, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = SmallMemory(most)
    result, _ = run(many, options, memory)
    assert (result.done, result.failed) == (21, 0)
    assert len(memory.explained) == len(set(memory.explained)) == 21
    tries = [count for count in memory.counts if count > most]
    halvings = [8 >> i for i in range(3) if 8 >> i > most]
    assert tries == halvings  # each size fails once in the whole run
    warnings = capsys.readouterr().err
    for size in halvings:
        assert f"Out of memory with {size} samples of 3×32×32 at once" in warnings
        assert f"--samples-per-batch {size // 2} would" in warnings
    assert warnings.count("Out of memory") == len(halvings)
    assert manifest(options)["samples_per_batch"] == 8


def test_the_last_small_batch_is_halved_from_its_own_size(
    many: RunConfig, options: RunOptions
) -> None:
    memory = SmallMemory(8)

    def shrink(ids: Sequence[str]) -> None:
        if len(memory.calls) == 3:  # 8 and 8 fitted, the last 5 come when memory is short
            memory.most = 2

    memory.refuse = shrink
    run(many, options, memory)
    assert memory.counts == [8, 8, 5, 3, 2, 1, 2]
    assert len(set(memory.explained)) == 21


def test_the_masks_are_the_same_in_any_order_and_any_memory(
    many: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    run(many, options)
    names = sorted(reasons(options))
    random.Random(0).shuffle(names)
    subset = tmp_path / "turned.txt"
    subset.write_text("\n".join(names))
    other = replace(options, work_dir=tmp_path / "other", subset_file=subset)
    run(many, other, SmallMemory(3))
    assert files(other) == files(options)


def files(options: RunOptions) -> dict[str, bytes]:
    assert options.work_dir is not None
    return {path.name: path.read_bytes() for path in (options.work_dir / "input_masks").iterdir()}


def test_a_single_sample_that_does_not_fit_halves_the_rows(
    config_file: Path, options: RunOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    config = load_config(config_file, {"attribution_cfg.input_iba.batch_size": 10})
    memory = SmallMemory(1, rows=3, needed=10)
    result, _ = run(config, options, memory)
    assert result.done == len(set(memory.explained)) == len(memory.explained) == 5
    assert memory.counts == [2] + [1] * 7
    assert memory.rows == [None, None, 5, 3, 3, 3, 3, 3]
    warnings = capsys.readouterr().err
    assert "single sample of 3×32×32, from here on the classifier sees 5 of its rows" in warnings
    assert "--internal-batch-size 3 would save the attempt" in warnings


def test_a_bound_of_the_config_is_where_halving_of_rows_begins(
    config_file: Path, options: RunOptions
) -> None:
    how = {"input_iba.batch_size": 10, "internal_batch_size": 4}
    bounded = {f"attribution_cfg.{key}": value for key, value in how.items()}
    memory = SmallMemory(2, rows=1, needed=10)
    result, _ = run(load_config(config_file, bounded), options, memory)
    assert memory.rows[:4] == [None, None, 2, 1]
    assert result.done == 5


def test_what_does_not_fit_at_all_fails_and_says_so(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    memory = SmallMemory(2, rows=0, needed=4)
    result, _ = run(config, options, memory)
    assert (result.done, result.failed) == (0, 5)
    for reason in reasons(options).values():
        assert "alone and one row at a time" in reason
        assert "smaller inputs" in reason
    again, _ = run(config, replace(options, resume=True))
    assert again.done == 5


def test_large_pictures_do_not_slow_down_small_ones(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    write_images(pictures / "attribution" / "cat", ["0a", "0b"], size=48)
    memory = SmallMemory(2)
    memory.refuse = lambda ids: MemoryError() if set(ids) == {"0a", "0b"} else None
    result, _ = run(config, options, memory)
    assert result.done == 7
    assert memory.counts == [2, 1, 1, 2, 2, 1]


def test_a_shortage_does_not_hide_another_error(config: RunConfig, options: RunOptions) -> None:
    memory = SmallMemory(1)
    bad = RuntimeError("a bad picture")
    memory.refuse = lambda ids: bad if ids == ["dog__1"] else None
    result, _ = run(config, options, memory)
    assert (result.done, result.failed) == (4, 1)
    assert "a bad picture" in reasons(options)["dog__1"]


def test_auto_is_recorded_and_a_continued_run_is_cut_alike(
    many: RunConfig, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = "input_iba.attribution.attributor.PIXELS_AT_ONCE"
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


SCARCE = """
import resource, sys
from pathlib import Path
from input_iba.engine.attribution_run import run_attribution
from input_iba.engine.build import build_attributor
from input_iba.engine.config import load_config
from input_iba.engine.options import RunOptions

def limit(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))

def build(*arguments):
    [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmSize" in x]
    limit(int(line.split()[1]) * 1024 + 300 * 2**20)
    return build_attributor(*arguments)

limit(1 << 45)
few = {f"attribution_cfg.{stage}_iba.opt_steps": 1 for stage in ("feat", "input")}
few |= {"attributor.gan": {"_delete_": True, "type": "ConstantPrior"}}
few |= {"attribution_cfg.gan": {"_delete_": True}, "attribution_cfg.feat_iba.batch_size": 8}
config = load_config(sys.argv[1], few)
options = RunOptions(Path(sys.argv[2]), "cpu", precision="fp32", samples_per_batch=8)
print(run_attribution(config, options, build).done)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is limited by rlimit")
def test_a_run_that_really_runs_out_of_memory_explains_every_sample(
    config_file: Path, pictures: Path, tmp_path: Path
) -> None:
    for folder in ("estimation/cat", "estimation/dog", "attribution/cat", "attribution/dog"):
        shutil.rmtree(pictures / folder)
        write_images(pictures / folder, "12", size=64)
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, str(config_file), str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["4"]
    assert "Out of memory with 4 samples of 3×64×64 at once, from here on 2" in done.stderr


class InDouble(Attributor):
    """Computes in float64, where what is computed together makes no difference that is stored."""

    def estimate(self, batches: Iterable[Tensor], n_samples: int = 1000) -> FeatureStatistics:
        return super().estimate((batch.double() for batch in batches), n_samples)

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
