"""Steps of VIBI's settings are timed, and trained networks are shown other numbers of chunks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import vibi_chunks, vibi_cost
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.run import run_vibi
from tests.vibi.commands.bright_chunks import bright_pictures, write_config

CONFIG = "configs/vibi/mnist_resnet_4x_k4_beta0.py"


def rows(printed: str) -> list[list[str]]:
    """Return the cells below the head of a table."""
    return [[c.strip() for c in line.split("|")[1:-1]] for line in printed.splitlines()[2:]]


def test_steps_are_scaled_to_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    vibi_cost.main([CONFIG, "--batch-size", "4", "--steps", "1"])
    [[setting, milliseconds, epoch, memory]] = rows(capsys.readouterr().out)
    assert setting == "`mnist_resnet_4x_k4_beta0`"
    minutes = float(epoch.split()[0])
    # Both are rounded to one decimal: 60,000 pictures of one millisecond are a minute.
    assert minutes == pytest.approx(float(milliseconds), abs=0.11)
    assert memory.endswith("GB, 4")


def test_published_size_takes_wide_networks() -> None:
    options = ["explainer.size", "approximator.size", "explainer.width", "approximator.width"]
    parsed = vibi_cost.overrides(
        vibi_cost.parse([CONFIG, "--size", "published", "--batch-size", "2"])
    )
    assert [parsed[key] for key in options] == ["published", "published", 0, 0]
    assert load_vibi_config(Path(CONFIG), parsed).training.batch_size == 2


@pytest.mark.slow
def test_another_number_of_chunks_is_measured_as_in_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = bright_pictures(tmp_path / "data", 30)
    config = load_vibi_config(write_config(tmp_path / "one.py", root, 1, 0.0), {})
    options = VibiOptions(work_dir=tmp_path / "one", device="cpu", precision="fp32")
    run = run_vibi(config, options)
    capsys.readouterr()
    path = str(tmp_path / "one" / "best.pth")
    vibi_chunks.main([path, "--k", "1", "16", "--precision", "fp32"])
    trained, all_shown = rows(capsys.readouterr().out)
    assert trained == ["1", f"{run.test.approximator:.1%}", f"{run.test.rationale:.1%}"]
    assert all_shown[2] == "100.0%"  # the whole picture
    vibi_chunks.main([path, "--k", "1", "16", "--random", "--precision", "fp32"])
    beside, again = rows(capsys.readouterr().out)
    assert beside[:3] == trained
    assert float(beside[4].rstrip("%")) < float(trained[2].rstrip("%"))  # one chunk of sixteen
    assert again[3:] == again[1:3]
