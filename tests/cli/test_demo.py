"""`input-iba demo`: which config it explains, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import main
from tests.cli.test_main import Result, fake_run


def test_the_samples_are_explained_and_may_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[tuple[Any, Any]] = fake_run(monkeypatch, lambda *_: Result())
    assert main(["demo", "--num-samples", "2", "--cfg-options", "estimation_cfg.n_samples=9"]) == 0
    [(config, options)] = calls
    assert config.attribution_data["type"] == "Samples"
    assert config.estimation.n_samples == 9
    assert (options.resume, options.num_samples) == (True, 2)
    assert options.work_dir_for(config.path) == Path("workdirs/samples")
