"""Other methods on texts through the run, the evaluation commands and the comparison."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from input_iba.cli.main import main, script
from input_iba.registry import BASELINES
from tests.attribution.methods.settings import ATTENTION
from tests.commands.evaluating_texts import EvaluatedTexts, prepare_texts

ROOT = Path(__file__).parents[2]
FIXED = ("--device", "cpu", "--precision", "fp32", "--no-pbar")
# That which needs a file of its own is tested where such files are written.
OWN_FILE = "amortised"
TEXT = [
    name
    for name, method in BASELINES.module_dict.items()
    if "texts" in method.explains and name != OWN_FILE
]
QUICK = {
    "smooth_grad": ["baseline.n_samples=3"],
    "int_grad": ["baseline.n_steps=3"],
    "smooth_int_grad": ["baseline.n_samples=2", "baseline.n_steps=3"],
    "lime": ["baseline.n_samples=10"],
    "kernel_shap": ["baseline.n_samples=10"],
}


@pytest.fixture(scope="module", params=["DeepLSTM", "BERT"])
def tiny(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> EvaluatedTexts:
    return prepare_texts(tmp_path_factory.mktemp("texts"), request.param)


@pytest.mark.parametrize("method", TEXT)
def test_every_method_gives_every_word_a_value(tiny: EvaluatedTexts, method: str) -> None:
    work = tiny.root / method
    options = ["--cfg-options", *QUICK[method]] if method in QUICK else []
    arguments = [str(tiny.config), method, "--work-dir", str(work), *FIXED, *options]
    status = script("baseline", arguments)
    if method in ATTENTION and "DeepLSTM" in tiny.config.read_text():
        assert status == 1  # there is no attention in it
        return
    assert status == 0
    values = json.loads((work / "manifest.json").read_text())
    assert (values["complete"], values["done"], values["method"]) == (True, 4, method)
    for line in (work / "records.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert record["files"].keys() == {"input_mask", "input_mask_png", "highlights"}
        assert (work / record["files"]["highlights"]).is_file()
        with np.load(work / record["files"]["input_mask"]) as arrays:
            assert tuple(arrays["tokens"]) == tiny.samples[record["id"]].tokens
            assert arrays["mask"].shape == arrays["tokens"].shape
            assert np.isfinite(arrays["mask"]).all()
            assert np.abs(arrays["mask"]).max() > 0
    assert method in (work / "report.html").read_text()


@pytest.mark.parametrize("method", ["grad_cam", "guided_bp", "rise", "ex_perturb", "deep_shap"])
def test_methods_for_images_alone_are_refused(
    tiny: EvaluatedTexts, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    work = tiny.root / method
    assert script("baseline", [str(tiny.config), method, "--work-dir", str(work), *FIXED]) == 2
    error = capsys.readouterr().err
    assert f"{method!r} cannot explain texts" in error
    assert all(name in error for name in TEXT)
    assert not (work / "manifest.json").exists()


def test_methods_are_compared_on_texts(
    tiny: EvaluatedTexts, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, chance, out = (tiny.root / f"compared {name}" for name in ("ours", "random", "out"))
    assert script("attribute", [str(tiny.config), "--work-dir", str(ours), *FIXED]) == 0
    assert script("baseline", [str(tiny.config), "random", "--work-dir", str(chance), *FIXED]) == 0
    dirs = [str(ours), str(ours / "feat_masks"), str(chance)]
    arguments = ["compare", *dirs, "--out", str(out), "--names", "ours", "<b>", "random"]
    fixed = ["--device", "cpu", "--scores-threshold", "0", "--num-masks", "4", "--resume"]
    assert main([*arguments, *fixed]) == 2  # by default metrics are those of images
    assert "Metrics for it: nlp_insertion_deletion" in capsys.readouterr().err
    metrics = ["--metrics", "nlp_insertion_deletion", "nlp_sensitivity_n"]
    assert main([*arguments, *fixed, *metrics, "--pixel-batch-size", "1"]) == 0
    found = json.loads((out / "compare.json").read_text())
    assert found["complete"] is True
    assert set(found["methods"]) == {"ours", "<b>", "random"}
    assert found["metrics"]["nlp_insertion_deletion"]["settings"]["pixel_batch_size"] == 1
    page = (out / "compare.html").read_text()
    assert page.count('<p class="text">') == 3 * 4
    assert "<b>" not in page
    assert "<img" not in page
    assert "film" in page


@pytest.mark.slow
def test_a_stopped_run_goes_on_by_the_script(tmp_path: Path) -> None:
    tiny = prepare_texts(tmp_path)
    command = [
        *(sys.executable, str(ROOT / "tools" / "nlp" / "train_baseline.py"), str(tiny.config)),
        *("lime", "--work-dir", str(tmp_path / "work"), *FIXED, "--resume"),
        *("--cfg-options", "baseline.n_samples=10"),
    ]
    assert script("baseline", [argument for argument in command[2:] if argument != "--resume"]) == 0
    folder, log = tmp_path / "work" / "input_masks", tmp_path / "work" / "records.jsonl"
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "4 explained, 0 failed" in done.stdout
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
