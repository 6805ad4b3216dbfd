"""`input-iba export`: the graph and what stands beside it, and errors that say what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.attribution.amortised import build_explainer, write_explainer
from input_iba.cli.main import main
from input_iba.config.build import build_classifier
from input_iba.config.load import load_config
from input_iba.core.classifier import Classifier
from input_iba.core.tokens import NO_TOKENS
from input_iba.modality.vision import VisionModality
from tests.tiny_runs import PIPELINE, five_pictures, tiny_config, write_config

SHAPED = [
    {"type": "SmallestMaxSize", "max_size": 28},
    {"type": "CenterCrop", "height": 24, "width": 32},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a config, the weights that it names, and an explainer for them."""
    config: dict[str, Any] = tiny_config(five_pictures(tmp_path / "data"))
    pipeline = [*SHAPED, *PIPELINE]
    for section in ("estimation", "attribution"):
        config["data"][section]["pipeline"] = pipeline
    path = write_config(tmp_path / "config.py", config)
    net = build_classifier(load_config(path))
    torch.save(net.state_dict(), tmp_path / "tiny.pth")
    config["attributor"]["classifier"]["pretrained"] = str(tmp_path / "tiny.pth")
    write_config(path, config)
    inputs = torch.randn(4, 3, 24, 32)
    explainer, _ = build_explainer(Classifier(net), VisionModality(), inputs, NO_TOKENS)
    write_explainer(tmp_path / "explainer.safetensors", explainer)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["export", *arguments]) == 2
    return capsys.readouterr().err


def run(arguments: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "input_iba.cli.main", "export", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
def test_a_graph_for_onnxruntime_and_how_images_are_prepared_for_it(folder: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    done = run(["explainer.safetensors", "--format", "onnx"], folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Graph: explainer.onnx"
    session = ort.InferenceSession(str(folder / "explainer.onnx"))
    [given] = session.get_inputs()
    assert (given.name, given.shape[1:]) == ("input", [3, 24, 32])
    inputs = torch.randn(3, 3, 24, 32)
    logits, maps = session.run(["logits", "map"], {"input": inputs.numpy()})
    net = build_classifier(load_config(folder / "config.py"))
    torch.testing.assert_close(torch.from_numpy(logits), net(inputs).detach(), atol=1e-4, rtol=1e-4)
    assert maps.shape == (3, 24, 32)
    said = json.loads((folder / "explainer.json").read_text())
    assert said == {
        "input": [3, 24, 32],
        "resize": 28,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "classes": ["cat", "dog"],
        "softmax": True,
    }


def test_a_graph_for_torch_with_a_label_where_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "out" / "model.pt2"
    options = ["--config", str(folder / "config.py"), "--format", "torch", "--any-class"]
    assert main(["export", str(folder / "explainer.safetensors"), "--out", str(out), *options]) == 0
    printed = capsys.readouterr().out
    assert [str(out) in printed, str(out.with_suffix(".json")) in printed] == [True, True]
    graph = torch.export.load(out).module()
    logits, maps = graph(torch.randn(1, 3, 24, 32), torch.tensor([1]))
    assert (logits.shape, maps.shape) == ((1, 2), (1, 24, 32))


def test_what_is_wrong_is_said_before_anything_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    explainer, config = str(folder / "explainer.safetensors"), folder / "config.py"
    assert "does not hold an explainer" in refused(capsys, str(folder / "tiny.pth"))
    assert "does not exist" in refused(capsys, str(folder / "gone.pth"))
    both = ("--config", str(config), "--model", "efficientnet_lite0")
    assert "either --config CONFIG or --model NAME" in refused(capsys, explainer, *both)
    other = ("--cfg-options", "attributor.classifier.pretrained=False")
    assert "a classifier with other weights" in refused(capsys, explainer, *other)
    config.unlink()
    assert "no config beside" in refused(capsys, explainer)
    assert list(folder.glob("explainer.*")) == [folder / "explainer.safetensors"]
    assert not list(folder.glob("*.part"))
