"""A trained explainer explains pictures that it never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.engine.evaluation.heat_maps import find_maps, read_map
from input_iba.engine.vibi.config import load_vibi_config
from input_iba.engine.vibi.explain import (
    ChunkExplanation,
    ExplainVibiOptions,
    explain_pictures,
)
from input_iba.engine.vibi.options import VibiOptions
from input_iba.engine.vibi.run import run_vibi
from input_iba.errors import CheckpointError
from input_iba.records import Failure
from tests.engine.vibi.bright_chunks import (
    CHUNK,
    LEFT,
    SIDE,
    TOP,
    bright_pictures,
    write_config,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the checkpoint of an explainer that has learned, and its data."""
    folder = tmp_path_factory.mktemp("vibi")
    root = bright_pictures(folder / "data")
    # Without the black box in the loop the pair may encode the class in the place of the chunk.
    changed = {"training.black_box_weight": 2.0}
    config = load_vibi_config(write_config(folder / "setting.py", root, epochs=8), changed)
    options = VibiOptions(work_dir=folder / "run", device="cpu", precision="fp32")
    result = run_vibi(config, options)
    assert result.test.approximator > 0.95
    return folder / "run" / "best.pth", root


def explained(
    run: tuple[Path, Path], paths: list[Path], out: Path, black_box: Path | None = None
) -> list[ChunkExplanation | Failure]:
    options = ExplainVibiOptions(run[0], out, black_box, device="cpu", precision="fp32")
    return list(explain_pictures(options, paths))


def test_the_chunk_that_decides_is_found(run: tuple[Path, Path], tmp_path: Path) -> None:
    paths = [run[1] / "test" / name / f"{name}_0.png" for name in ("bright", "dark")]
    found = explained(run, paths, tmp_path)
    for one, name in zip(found, ("bright", "dark"), strict=True):
        assert isinstance(one, ChunkExplanation)
        assert one.black_box[0] == one.approximator[0] == one.rationale[0] == name
        assert one.black_box[1] > 0.5
        assert 0 < one.milliseconds < 5000
        with np.load(tmp_path / f"{one.id}.npz") as arrays:
            mask, shown, logits = arrays["mask"], arrays["top_k"], arrays["logits"]
        assert mask.shape == (SIDE, SIDE)
        assert shown.shape == (1, SIDE, SIDE)
        assert shown.sum() == CHUNK**2
        assert (mask.max() == mask[shown[0] > 0]).all()
        if name == "bright":  # hidden chunks are dark, so any one will do for the others
            assert np.unravel_index(mask.argmax(), mask.shape) == (TOP, LEFT)
        assert logits.shape == ((SIDE // CHUNK) ** 2,)
        with Image.open(tmp_path / f"{one.id}.png") as image:
            assert image.format == "PNG"


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
