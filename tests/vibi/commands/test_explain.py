"""A trained explainer explains pictures that it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.cli.main import script
from input_iba.drawing.image_sheet import HEADING
from input_iba.errors import CheckpointError
from input_iba.records import Failure
from input_iba.results.map_files import find_maps, read_map
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.explain import ChunkExplanation, explain_files
from input_iba.vibi.commands.options import ExplainVibiOptions, VibiOptions
from input_iba.vibi.commands.prepared import load_vibi
from input_iba.vibi.commands.run import run_vibi
from tests.vibi.commands.bright_chunks import CHUNK, SIDE, bright_pictures, write_config


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the checkpoint of a short training, and its data."""
    folder = tmp_path_factory.mktemp("vibi")
    root = bright_pictures(folder / "data")
    config = load_vibi_config(write_config(folder / "setting.py", root, epochs=1), {})
    options = VibiOptions(work_dir=folder / "run", device="cpu", precision="fp32")
    run_vibi(config, options)
    return folder / "run" / "best.pth", root


def explained(
    run: tuple[Path, Path], paths: list[Path], out: Path, black_box: Path | None = None
) -> list[ChunkExplanation | Failure]:
    options = ExplainVibiOptions(
        checkpoint=run[0], out=out, black_box=black_box, device="cpu", precision="fp32"
    )
    return list(explain_files(options, paths))


@torch.no_grad()
def test_what_is_told_is_what_the_networks_say(run: tuple[Path, Path], tmp_path: Path) -> None:
    path = run[1] / "test" / "bright" / "bright_0.png"
    [one] = explained(run, [path], tmp_path)
    assert isinstance(one, ChunkExplanation)
    assert 0 < one.milliseconds < 5000
    loaded = load_vibi(run[0])
    with Image.open(path) as image:
        picture = torch.from_numpy(np.asarray(image) / 255).float().permute(2, 0, 1)[None]
    logits = loaded.vibi.explain(picture)[0]
    with np.load(tmp_path / "bright_0.npz") as arrays:
        mask, shown = arrays["mask"], arrays["top_k"]
        assert arrays["logits"] == pytest.approx(logits.numpy(), abs=1e-5)
    chunks = logits.softmax(0).view(SIDE // CHUNK, SIDE // CHUNK).numpy()
    assert mask == pytest.approx(np.kron(chunks, np.ones((CHUNK, CHUNK))), abs=1e-5)
    assert mask.dtype == np.float32
    assert shown.shape == (1, SIDE, SIDE)
    assert ((shown[0] > 0) == (mask == mask.max())).all()
    assert shown.sum() == CHUNK**2  # k = 1
    approximated = loaded.vibi.approximate(picture * torch.from_numpy(shown)).softmax(1)[0]
    assert one.approximator[1] == pytest.approx(float(approximated.max()), abs=1e-5)
    assert one.approximator[0] == ["bright", "dark"][int(approximated.argmax())]
    classifier = loaded.networks.black_box.classifier
    whole, hidden = (
        classifier((x - 0.5) / 0.25).softmax(1)[0].max()
        for x in (picture, picture * torch.from_numpy(shown))
    )
    assert one.black_box[0] == "bright"
    assert one.black_box[1] == pytest.approx(float(whole), abs=1e-5)
    assert one.rationale[1] == pytest.approx(float(hidden), abs=1e-5)
    with Image.open(tmp_path / "bright_0.png") as drawn:
        assert drawn.format == "PNG"


def test_evaluation_finds_and_reads_the_maps(run: tuple[Path, Path], tmp_path: Path) -> None:
    paths = [run[1] / "test" / "dark" / f"dark_{i}.png" for i in (1, 2)]
    explained(run, paths, tmp_path)
    files = find_maps(tmp_path, ["dark_1", "dark_2"])
    assert set(files) == {"dark_1", "dark_2"}
    assert read_map(files["dark_1"]).shape == (SIDE, SIDE)


def test_pictures_of_any_size_and_kind_are_explained_and_bad_ones_told(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    large, broken = tmp_path / "large.jpg", tmp_path / "broken.png"
    Image.new("L", (50, 40), 200).save(large)
    broken.write_bytes(b"no picture")
    found = explained(run, [large, broken, tmp_path / "absent.png"], tmp_path / "out")
    assert isinstance(found[0], ChunkExplanation)
    with np.load(tmp_path / "out" / "large.npz") as arrays:
        assert arrays["mask"].shape == (SIDE, SIDE)
    assert all(isinstance(one, Failure) for one in found[1:])
    assert "cannot be read" in found[1].reason  # type: ignore[union-attr]


def test_pictures_of_equal_name_do_not_overwrite_each_other(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    paths = [tmp_path / folder / "one.png" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        Image.new("RGB", (SIDE, SIDE)).save(path)
    found = explained(run, paths, tmp_path / "out")
    assert [one.id for one in found] == ["a__one", "b__one"]


def test_wrong_checkpoints_are_refused(run: tuple[Path, Path], tmp_path: Path) -> None:
    paths = [run[1] / "test" / "dark" / "dark_1.png"]
    with pytest.raises(CheckpointError, match="absent"):
        explained(run, paths, tmp_path, black_box=tmp_path / "absent.pth")
    text = tmp_path / "text.pth"
    text.write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"best\.pth or"):
        explained((text, run[1]), paths, tmp_path)


def test_maps_of_a_code_are_told_as_such(
    run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = torch.load(run[0], weights_only=True)
    path = run[1] / "test" / "bright" / "bright_0.png"
    for rationale, code in ((0.95, False), (0.4, True)):
        content["metrics"] |= {"approximator_fidelity": 0.97, "rationale_fidelity": rationale}
        checkpoint, out = tmp_path / f"{code}.pth", tmp_path / f"{code}"
        torch.save(content, checkpoint)
        [one] = explained((checkpoint, run[1]), [path], out)
        assert isinstance(one, ChunkExplanation)
        assert ("agree on a code" in one.warning) == code
        given = [str(checkpoint), str(path), "--out", str(out), "--device", "cpu"]
        assert script("vibi explain", given) == 0
        assert ("must not be read" in capsys.readouterr().out.splitlines()[-1]) == code
        with Image.open(out / "bright_0.png") as drawn:
            above = np.asarray(drawn.convert("L"))[:HEADING]
        assert bool((above < 128).any()) == code  # a title
