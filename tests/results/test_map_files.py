"""Maps of any tool: which file is a sample's map, and what its values are."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from input_iba.errors import DataError
from input_iba.results import read_text_mask, write_mask
from input_iba.results.map_files import find_maps, read_map, ties_by_rounding

VALUES = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def png(path: Path, pixels: NDArray[Any], mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return path


def npz(path: Path, **arrays: NDArray[Any]) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def npy(path: Path, array: NDArray[Any]) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


def test_the_most_exact_format_is_taken(tmp_path: Path) -> None:
    for name in ("a.png", "a.npy", "a.npz", "b.png", "b.npy", "c.png", "c.JPEG", ".d.npz"):
        (tmp_path / name).touch()
    found = find_maps(tmp_path, ["a", "b", "c", "d"])
    assert {id_: Path(str(path)).name for id_, path in found.items()} == {
        "a": "a.npz",
        "b": "b.npy",
        "c": "c.png",
    }


def test_maps_may_lie_in_folders_of_classes_and_under_safe_names(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a%2Fb.npz").touch()
    assert find_maps(tmp_path, ["a/b"]) == {"a/b": tmp_path / "cat" / "a%2Fb.npz"}


def test_two_maps_of_one_sample_are_refused(tmp_path: Path) -> None:
    for folder in ("cat", "dog"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.npy").touch()
    with pytest.raises(DataError, match="several maps"):
        find_maps(tmp_path, ["a"])


def test_of_a_work_directory_maps_are_taken_and_else_input_masks(tmp_path: Path) -> None:
    for folder in ("input_masks", "feat_masks", "maps"):
        (tmp_path / folder / "cat").mkdir(parents=True)
        for name in "ab":
            (tmp_path / folder / "cat" / f"{name}.npz").touch()
    (tmp_path / "manifest.json").touch()
    assert find_maps(tmp_path, ["a"]) == {"a": tmp_path / "maps" / "cat" / "a.npz"}
    assert find_maps(tmp_path / "feat_masks", ["a"]) == {"a": tmp_path / "feat_masks/cat/a.npz"}
    # Begun by a release without maps, and continued: two units are not mixed.
    (tmp_path / "maps" / "cat" / "b.npz").unlink()
    assert find_maps(tmp_path, ["a"]) == {"a": tmp_path / "input_masks" / "cat" / "a.npz"}
    rmtree(tmp_path / "maps")
    assert find_maps(tmp_path, ["b"]) == {"b": tmp_path / "input_masks" / "cat" / "b.npz"}


def test_a_map_is_read_by_its_key_also_beside_words(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.npz", np.array([1.5, 0]), ["good", "film"], key="map")
    with np.load(tmp_path / "a.npz") as arrays:
        assert set(arrays.files) == {"map", "tokens"}
    assert read_map(tmp_path / "a.npz", 1).tolist() == [1.5, 0]
    assert read_text_mask(tmp_path / "a.npz").mask.tolist() == [1.5, 0]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        find_maps(tmp_path / "none", ["a"])


def test_every_format_gives_its_values(tmp_path: Path) -> None:
    eight, sixteen = (np.round(VALUES * top) for top in (255, 65535))
    exact = [
        npz(tmp_path / "a.npz", mask=VALUES, other=-VALUES),
        npz(tmp_path / "b.npz", anything=VALUES),
        npy(tmp_path / "c.npy", VALUES),
    ]
    for path in exact:
        assert np.array_equal(read_map(path).numpy(), VALUES.astype(np.float64))
        assert not ties_by_rounding(path)
    fine = png(tmp_path / "d.png", sixteen.astype(np.uint16))
    assert np.allclose(read_map(fine).numpy(), VALUES, atol=1e-5)
    assert not ties_by_rounding(fine)
    for mode in (None, "RGB", "RGBA", "LA", "P"):
        rough = png(tmp_path / f"{mode}.png", eight.astype(np.uint8), mode)
        assert np.allclose(read_map(rough).numpy(), eight / 255, atol=1e-12), mode
        assert ties_by_rounding(rough), mode


def test_regions_may_be_yes_or_no(tmp_path: Path) -> None:
    assert read_map(npz(tmp_path / "a.npz", mask=VALUES > 0.5)).sum() == 6


def test_signed_maps_keep_their_sign(tmp_path: Path) -> None:
    assert read_map(npy(tmp_path / "a.npy", -VALUES)).min() == -1


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("three.npy", np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
        ("nan.npy", np.full((2, 3), np.nan), "NaN"),
        ("words.npy", np.array([["a", "b"]]), "one number per pixel"),
        ("objects.npy", np.array([[{}, {}]], dtype=object), "cannot be read"),
        ("colours.png", np.eye(3, dtype=np.uint8)[None] * 255, "one number per pixel"),
    ],
)
def test_what_is_no_map_is_refused(
    tmp_path: Path, name: str, array: NDArray[Any], message: str
) -> None:
    path = tmp_path / name
    if path.suffix == ".png":
        png(path, array)
    else:
        npy(path, array)
    with pytest.raises(DataError, match=message):
        read_map(path)


def test_files_that_are_broken_or_ambiguous_are_refused(tmp_path: Path) -> None:
    two = npz(tmp_path / "two.npz", one=VALUES, other=VALUES)
    cut = npz(tmp_path / "cut.npz", mask=VALUES)
    cut.write_bytes(cut.read_bytes()[:60])
    empty = tmp_path / "empty.png"
    empty.touch()
    for path in (two, cut, empty, tmp_path / "absent.npy"):
        with pytest.raises(DataError, match="cannot be read"):
            read_map(path)
