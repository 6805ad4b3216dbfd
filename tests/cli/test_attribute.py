"""`attribute --image` and `layers --model`: from the command line to files and messages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.cli import main as cli
from input_iba.cli.given import free_folder
from input_iba.config.load import load_config
from input_iba.datasets.samples import sample_image

FEW = [
    *("--device", "cpu", "--no-pbar", "--cfg-options", "estimation_cfg.n_samples=6"),
    *("attribution_cfg.feat_iba.opt_steps=1", "attribution_cfg.input_iba.opt_steps=1"),
    *("attribution_cfg.feat_iba.batch_size=1", "attribution_cfg.input_iba.batch_size=1"),
]


def run(*arguments: str) -> int:
    return cli.main(["attribute", *arguments])


@pytest.mark.slow
def test_one_image_is_explained_in_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sample_image("chelsea").save("my cat.jpg")
    assert run("--image", "my cat.jpg", "--target", "tabby", "lynx", *FEW) == 0
    said = capsys.readouterr().out
    work = Path("workdirs/my cat")
    assert said.count("Egyptian cat") == 2
    assert said.count("<- explained") == 2
    assert "2 explained, 0 failed" in said
    for name in ("tabby", "lynx"):
        with Image.open(work / f"my cat_{name}_overlay.png") as image:
            assert image.size == (451, 300)
        assert (work / "input_masks" / f"my cat_{name}.npz").is_file()
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    assert [record["target"] for record in records] == [281, 287]
    assert records[0]["top_classes"][0][0] == "Egyptian cat"
    chances = [share for _, share in records[0]["top_classes"]]
    assert len(chances) == 5
    assert chances == sorted(chances, reverse=True)
    # It is a normal run: its config loads, gives the same masks, and goes on.
    assert load_config(work / "config.py").layer == "_blocks.10"
    assert run("--image", "my cat.jpg", "--target", "tabby", "lynx", "--resume", *FEW) == 0
    assert run(str(work / "config.py"), "--work-dir", "again", *FEW[:3]) == 0
    for name in ("tabby", "lynx"):
        for folder, key in (("maps", "map"), ("input_masks", "mask")):
            file = f"{folder}/my cat_{name}.npz"
            assert np.array_equal(np.load(work / file)[key], np.load(f"again/{file}")[key])


def test_a_second_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "cat"
    assert free_folder(path, False) == path
    for name in ("cat", "cat-2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
    assert free_folder(path, False) == tmp_path / "cat-3"
    assert free_folder(path, True) == path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give --image"),
        (["cat.JPG"], "--image cat.JPG"),
        (["configs/samples.py", "--image", "a.jpg"], "leave one of them out"),
        (["configs/samples.py", "--target", "tabby", "--whole"], "--target, --whole can be"),
        (["--image", "absent.jpg"], "expected a file, found none"),
        (["--image", "README.md"], "cannot be read"),
        (["--image", "resources/samples_overview.jpg", "--model", "vgg_16"], "Closest: 'vgg16'"),
        (["--image", "resources/samples_overview.jpg", "--target", "tabbi"], "'tabby'"),
        (["--image", "resources/samples_overview.jpg", "--layer", "_block.1"], "'_blocks.1'"),
    ],
)
def test_wrong_input_has_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err


def test_layers_of_a_model_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["layers", "--model", "squeezenet1_1"]) == 0
    [chosen] = [x for x in capsys.readouterr().out.splitlines() if "<- attributor.layer" in x]
    assert chosen.split()[:3] == ["features", "Sequential", "512×13×13"]
    assert cli.main(["layers"]) == 2
    assert "CONFIG or --model" in capsys.readouterr().err
