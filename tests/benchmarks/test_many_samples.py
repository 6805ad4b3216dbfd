"""The benchmark of many samples, on few."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import many_samples


@pytest.mark.slow
def test_a_run_is_killed_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_samples, "LEFT", 300)
    many_samples.write_images(tmp_path / "estimation", 64, seed=1)
    many_samples.write_images(tmp_path / "attribution", 400, seed=0)
    found = dict(many_samples.explained(tmp_path, "shards", 400))
    [resumed] = [what for what in found if what.startswith("resume after")]
    assert 100 <= int(re.findall(r"\d+", resumed)[0]) < 400
    assert int(found["files, most in one folder"].split(",")[0]) < 20
    assert float(found["most memory then"].split()[0]) > 100


def test_memory_is_told_at_a_share_of_the_samples() -> None:
    memory = [(0, 1.0), (5, 2.0), (9, 3.0)]
    assert [many_samples.at_share(memory, share, 10) for share in (0, 0.5, 0.97)] == [1, 2, 3]
