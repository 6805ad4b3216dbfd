"""`attribute` with an image and a text, or with classes: to files, a page, scores and messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torchvision.transforms.functional import to_pil_image

from input_iba.cli import main as cli
from input_iba.config.load import load_config
from tests.attribution.test_pairs import draws
from tests.models.dual_encoders import KINDS, picture, random_encoder, save

FEW = ["--device", "cpu", "--precision", "fp32", "--no-pbar", "--cfg-options"]
FEW += ["estimation_cfg.n_samples=20", "attribution_cfg.input_iba.opt_steps=3"]
TEXT = "A photo of the blue spot"


def prepare(root: Path, kind: str) -> Path:
    """Write a dual encoder and an image, and return the encoder's folder."""
    to_pil_image((picture(2, 5, draws()) / 2 + 0.5).clamp(0, 1)).save(root / "my.png")
    return save(root / kind, kind, random_encoder(kind, layers=4))


def records(work: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_image_and_a_text_share_a_page_and_are_scored(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = prepare(tmp_path, kind)
    given = ["--image", "my.png", "--text", TEXT, "--model", str(folder)]
    assert cli.main(["attribute", *given, *FEW]) == 0
    said = capsys.readouterr().out
    work = Path("workdirs/my")
    assert f"Both together: {work}/report.html" in said
    [image], [text] = records(work / "image"), records(work / "text")
    assert image["id"] == text["id"] == "my"
    assert (image["class_name"], text["class_name"]) == (TEXT, "my.png")
    if kind == "siglip":  # one score, whichever side it is read from
        both = [image["target_probability"], text["target_probability"]]
        assert both[0] == pytest.approx(both[1], abs=1e-3)
    page = (work / "report.html").read_text()
    assert page.count("<article") == 1
    assert "pixels and words made the classifier decide" in page
    assert 'src="./image/images/my.jpg"' in page
    assert page.count('<p class="text"') == 1
    assert 'id="opacity"' in page
    assert '<select id="words">' in page
    # Both are normal runs: their configs load, and their maps are scored.
    for side, metric in (("image", "insertion_deletion"), ("text", "nlp_insertion_deletion")):
        config = str(work / side / "config.py")
        assert load_config(Path(config)).classifier["type"] == str(folder)
        words = ["evaluate", metric, config, str(work / side / "maps"), "scores", f"{side}.json"]
        assert cli.main([*words, "--scores-threshold", "0", "--device", "cpu"]) == 0
        result = json.loads((Path("scores") / f"{side}.json").read_text())
        assert result["complete"]
        assert set(result["rows"]) == {"my"}
    # The same command again does not overwrite it; with --resume it has nothing left to do.
    assert cli.main(["attribute", *given, "--resume", *FEW]) == 0
    assert not Path("workdirs/my-2").exists()
    assert cli.main(["attribute", *given, "--instead-of", "a red spot", *FEW]) == 0
    [image] = records(Path("workdirs/my-2/image"))
    assert {name for name, _ in image["top_classes"]} == {TEXT, "a red spot"}


@pytest.mark.slow
def test_classes_of_a_file_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = prepare(tmp_path, "siglip")
    Path("classes.txt").write_text("red spot\nblue spot\n\ngreen wall\n")
    given = ["--image", "my.png", "--classes", "classes.txt", "--model", str(folder)]
    assert cli.main(["attribute", *given, "--target", "blue spot", *FEW]) == 0
    [found] = records(Path("workdirs/my"))
    assert found["class_name"] == "blue spot"
    assert {name for name, _ in found["top_classes"]} == {"red spot", "blue spot", "green wall"}
    against = ["--target", "blue spot", "--instead-of", "red spot"]
    assert cli.main(["attribute", *given, *against, *FEW]) == 0
    [found] = records(Path("workdirs/my-2"))
    assert found["class_name"] == "blue spot rather than red spot"
    assert "Asked: blue spot rather than red spot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "my.png"], "Give --image and --text together"),
        (["--text", "a spot"], "Give --image and --text together"),
        (["--image", "my.png", "a.png", "--text", "a"], "one image and one text; got 2 and 1"),
        (["--image", "my.png", "--text", "a", "--target", "b"], "--target cannot be given"),
        (["--image", "my.png", "--text", ""], "Text 1 of 1 is empty"),
        (["--image", "no.png", "--text", "a"], "Image 'no.png': expected a file"),
        (["--image", "my.png", "--classes", "no.txt"], "'no.txt' cannot be read"),
        (["samples", "--image", "my.png", "--text", "a"], "--image and --text are given"),
        (["--image", "my.png", "--text", "a", "--layer", "b"], "Layer 'b' not found"),
    ],
)
def test_wrong_input_has_status_2_and_writes_nothing(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = prepare(tmp_path, "clip")
    assert cli.main(["attribute", *arguments, "--model", str(folder), "--device", "cpu"]) == 2
    assert said in capsys.readouterr().err
    assert not Path("workdirs").exists()
