"""Runs that go on where they stopped, or refuse to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from input_iba.config.load import RunConfig, load_config
from input_iba.errors import ResumeError
from input_iba.run.options import RunOptions
from tests.commands.explain.running import IDS, bad_in, masks, records, work_of
from tests.tiny_runs import FakeExplainer, manifest, run, write_images


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["between", "within"])
def test_an_interrupted_run_is_valid_and_resumes_to_the_same_files(
    config: RunConfig, options: RunOptions, tmp_path: Path, moment: str
) -> None:
    whole = replace(options, work_dir=tmp_path / "whole")
    run(config, whole)
    stop = bad_in("dog__1" if moment == "between" else "3", error=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(config, options, FakeExplainer(stop))
    values = manifest(options)
    assert values["complete"] is False
    assert values["done"] == (2 if moment == "between" else 4)
    assert "Partial" in (work_of(options) / "report.html").read_text()
    result, fake = run(config, replace(options, resume=True))
    assert (result.done, fake.calls[-1]) == (5, ["3"])
    assert fake.estimated == 0  # the statistics were kept
    assert masks(options) == masks(whole)
    assert manifest(options)["complete"] is True
    assert list(records(options)) == IDS


@pytest.mark.slow
def test_a_half_done_batch_is_computed_whole_and_saved_in_part(
    config: RunConfig, options: RunOptions
) -> None:
    run(config, options)
    lost = work_of(options) / "input_masks" / "dog__2.npz"
    kept = work_of(options) / "input_masks" / "dog__1.npz"
    lost.unlink()
    before = kept.stat().st_mtime_ns
    result, fake = run(config, replace(options, resume=True))
    assert fake.calls == [["dog__1", "dog__2"]]
    assert lost.is_file()
    assert kept.stat().st_mtime_ns == before
    assert result.done == 5


@pytest.mark.slow
def test_resuming_a_complete_run_only_reports(config: RunConfig, options: RunOptions) -> None:
    first, _ = run(config, options)
    second, fake = run(config, replace(options, resume=True))
    assert second.table == first.table
    assert (fake.calls, fake.estimated) == ([], 0)


def test_failed_samples_are_tried_again(
    config: RunConfig, options: RunOptions, pictures: Path
) -> None:
    run(config, options, FakeExplainer(bad_in("3", error=lambda: RuntimeError("memory"))))
    result, fake = run(config, replace(options, resume=True))
    assert (result.done, result.failed, fake.calls) == (5, 0, [["3"]])
    assert records(options)["3"]["reason"] == ""


@pytest.mark.slow
def test_other_settings_of_masks_are_refused(
    config: RunConfig, config_file: Path, options: RunOptions, pictures: Path
) -> None:
    run(config, options)
    before = masks(options)
    again = replace(options, resume=True)
    with pytest.raises(ResumeError, match="--resume, or choose another"):
        run(config, options)
    with pytest.raises(ResumeError, match=r"(?s)-.*beta=20.*\+.*beta=30"):
        run(load_config(config_file, {"attribution_cfg.input_iba.beta": 30}), again)
    with pytest.raises(ResumeError, match="--seed: was 0, now 7"):
        run(config, replace(again, seed=7))
    with pytest.raises(ResumeError, match="--precision: was fp32, now bf16"):
        run(config, replace(again, precision="bf16"))
    write_images(pictures / "attribution" / "cat", ["new"])
    with pytest.raises(ResumeError, match=r"data\.attribution"):
        run(config, again)
    assert masks(options) == before
