"""Memory that runs out: less is computed at once, and every sample is explained all the same."""

from __future__ import annotations

import json
import platform
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from input_iba.config.load import RunConfig, load_config
from input_iba.core.fitting import free_memory, out_of_memory
from input_iba.errors import AttributionError
from input_iba.records import Attribution, Failure
from input_iba.run.options import RunOptions
from tests.tiny_runs import FakeExplainer, manifest, run, write_images


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


def reasons(options: RunOptions) -> dict[str, str]:
    assert options.work_dir is not None
    lines = (options.work_dir / "records.jsonl").read_text().splitlines()
    return {record["id"]: record["reason"] for record in map(json.loads, lines)}


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


@pytest.mark.slow
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
        assert f"Out of memory with {size} samples of 3×32×32" in warnings
        assert f"--samples-per-batch {size // 2} would" in warnings
    assert warnings.count("Out of memory") == len(halvings)
    assert manifest(options)["samples_per_batch"] == 8


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert "the classifier sees 5 of its rows" in warnings
    assert "--internal-batch-size 3 would save the attempt" in warnings


@pytest.mark.slow
def test_a_bound_of_the_config_is_where_halving_of_rows_begins(
    config_file: Path, options: RunOptions
) -> None:
    how = {"input_iba.batch_size": 10, "internal_batch_size": 4}
    bounded = {f"attribution_cfg.{key}": value for key, value in how.items()}
    memory = SmallMemory(2, rows=1, needed=10)
    result, _ = run(load_config(config_file, bounded), options, memory)
    assert memory.rows[:4] == [None, None, 2, 1]
    assert result.done == 5


@pytest.mark.slow
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


SCARCE = """
import resource, sys
from pathlib import Path
from input_iba.commands.explain.run import run_attribution
from input_iba.config.build import build_attributor
from input_iba.config.load import load_config
from input_iba.run.options import RunOptions

def limit(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, resource.getrlimit(resource.RLIMIT_AS)[1]))

def build(*arguments):
    explainer = build_attributor(*arguments)
    attribute = explainer.attribute

    def attribute_in_little_space(inputs, *args, **options):
        # Threads and libraries take their space now, tensors beyond a sample's come later.
        explainer.attribute = attribute
        attribute(inputs[:1], ids=["warm"])
        [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmSize" in x]
        limit(int(line.split()[1]) * 1024 + 400 * 2**20)
        return attribute(inputs, *args, **options)

    explainer.attribute = attribute_in_little_space
    return explainer

limit(1 << 45)
few = {f"attribution_cfg.{stage}_iba.opt_steps": 1 for stage in ("feat", "input")}
few |= {"attributor.gan": {"_delete_": True, "type": "ConstantPrior"}}
few |= {"attribution_cfg.gan": {"_delete_": True}, "attribution_cfg.feat_iba.batch_size": 8}
config = load_config(sys.argv[1], few)
options = RunOptions(
    work_dir=Path(sys.argv[2]), device="cpu", precision="fp32", samples_per_batch=8
)
print(run_attribution(config, options, build).done)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is limited by rlimit")
def test_a_run_that_really_runs_out_of_memory_explains_every_sample(
    config_file: Path, pictures: Path, tmp_path: Path
) -> None:
    for folder in ("estimation/cat", "estimation/dog", "attribution/cat", "attribution/dog"):
        shutil.rmtree(pictures / folder)
        write_images(pictures / folder, "1234", size=64)
    done = subprocess.run(
        [sys.executable, "-c", SCARCE, str(config_file), str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["8"]
    assert "8 samples of 3×64×64 at once, from here on 4" in done.stderr
