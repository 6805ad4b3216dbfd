"""Explainers and InputIBA are compared on the same pictures of the same black box."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from benchmarks import vibi_comparison
from benchmarks.vibi_comparison import CHANCE, FEATURES, OURS, heat_of_chunks, score
from benchmarks.vibi_methods import Compared, Explained, load
from input_iba.errors import ConfigError
from input_iba.vibi import BlackBox, ChunkGrid
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.run import run_vibi
from tests.vibi.commands.bright_chunks import bright_pictures, write_config
from tests.vibi.nets import ReadsOneChunk

GRID = ChunkGrid(8, 8, 4)


def trained(folder: Path, name: str, root: Path, beta: float) -> Path:
    config = load_vibi_config(write_config(folder / f"{name}.py", root, 1, beta), {})
    options = VibiOptions(work_dir=folder / name, device="cpu", precision="fp32")
    return run_vibi(config, options).work_dir / "best.pth"


@pytest.mark.slow
def test_the_command_compares_two_explainers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = bright_pictures(tmp_path / "data", 30)
    paths = [str(trained(tmp_path, name, root, beta)) for name, beta in (("a", 0), ("b", 0.1))]
    small = ["--samples", "6", "--alone", "2", "--min-probability", "0", "--k", "1", "3"]
    files = ["--json", str(tmp_path / "found.json"), "--markdown", str(tmp_path / "found.md")]
    vibi_comparison.main([*paths, *small, *files])
    found = json.loads((tmp_path / "found.json").read_text())["methods"]
    assert list(found) == ["a", "b", OURS, FEATURES, CHANCE]
    for name, method in found.items():
        scores = method["scores"]
        assert len(scores["insertion"]) == 6
        gaps = [i - d for i, d in zip(scores["insertion"], scores["deletion"], strict=True)]
        assert scores["insertion − deletion"] == pytest.approx(gaps)
        assert set(scores["rationale, k = 3"]) <= {0.0, 1.0}
        assert len(method["milliseconds_alone"]) == {"a": 6, "b": 6, OURS: 2}.get(name, 0)
    run = json.loads((tmp_path / "a" / "results.json").read_text())
    assert found["a"]["seconds_once"] == run["seconds"]
    assert "InputIBA, preset fast" in capsys.readouterr().out
    assert "| maps of |" in (tmp_path / "found.md").read_text()


@pytest.mark.slow
def test_explainers_of_different_black_boxes_are_refused(tmp_path: Path) -> None:
    paths = []
    for name in "ab":
        root = bright_pictures(tmp_path / f"data_{name}", 20)
        paths.append(trained(tmp_path, name, root, 0))
    with pytest.raises(ConfigError, match="different black boxes"):
        load(paths, torch.device("cpu"))


def test_the_map_of_the_chunk_that_is_read_wins() -> None:
    black_box = BlackBox(ReadsOneChunk().eval())
    pictures = torch.zeros(2, 1, 8, 8)
    pictures[..., 4:, :2] = 0.9  # the left half of the chunk is brighter: class 1
    compared = Compared(black_box, pictures, torch.tensor([1, 1]), pictures)
    heats = torch.zeros(2, 8, 8)
    heats[0, 4:, :4] = 1  # the chunk that decides
    heats[1, :4, :4] = 1
    found = score(Explained(heats), compared, GRID, [1, 4])
    assert found["rationale, k = 1"].tolist() == [1, 0]
    assert found["rationale, k = 4"].tolist() == [1, 1]
    assert found["deletion"][0] < found["deletion"][1]


@pytest.mark.parametrize("channels", [1, 3])
def test_heat_of_chunks_is_the_mean_over_their_pixels(channels: int) -> None:
    grid = ChunkGrid(6, 8, 4, channels)
    heats = torch.rand(2, 6, 8)
    found = heat_of_chunks(heats, grid).view(2, channels, 2, 2)
    expected = [
        [heats[:, :4, :4].mean((1, 2)), heats[:, :4, 4:].mean((1, 2))],
        [heats[:, 4:, :4].mean((1, 2)), heats[:, 4:, 4:].mean((1, 2))],
    ]
    for channel in range(channels):
        for i in range(2):
            for j in range(2):
                torch.testing.assert_close(found[:, channel, i, j], expected[i][j])
