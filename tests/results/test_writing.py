"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.core.files import remove_parts, written_whole
from input_iba.results import read_text_mask, write_image, write_mask, write_text


def test_a_file_is_not_there_before_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as aside:
        aside.write_text("half")
        assert not path.exists()
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), written_whole(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_held_open_for_a_moment_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As file systems of networks do; other errors are told at once."""
    replace, refusals = Path.replace, [errno.EBUSY, errno.EACCES, errno.ENOSPC]

    def refuse(self: Path, target: Path) -> Path:
        if refusals:
            raise OSError(refusals.pop(0), "refused")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="refused") as caught:
        write_text(tmp_path / "a", "new")
    assert (caught.value.errno, refusals) == (errno.ENOSPC, [])
    refusals += [errno.ESTALE, errno.EBUSY]
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def _die_while_writing(path: Path) -> None:
    with written_whole(path) as aside:
        aside.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_leaves_the_old_file_and_a_part_that_can_be_cleared(
    tmp_path: Path,
) -> None:
    path = tmp_path / "masks" / "a.txt"
    path.parent.mkdir()
    path.write_text("old")
    process = multiprocessing.get_context("fork").Process(target=_die_while_writing, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert path.read_text() == "old"
    assert remove_parts(tmp_path) == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_mask_comes_back_as_float32_bit_for_bit(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((5, 7))
    write_mask(tmp_path / "a.npz", mask)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays.files == ["mask"]
        assert arrays["mask"].dtype == np.float32
        np.testing.assert_array_equal(arrays["mask"], mask.astype(np.float32))


def test_the_mask_of_a_text_comes_back_with_the_text(tmp_path: Path) -> None:
    words, text, spans = ["so", "電影"], "“So”\n電影 👩", [(1, 3), (5, 7)]
    write_mask(tmp_path / "a.npz", np.array([0.5, 1.0]), words, text, spans)
    found = read_text_mask(tmp_path / "a.npz")
    assert (found.tokens, found.mask.tolist()) == (words, [0.5, 1.0])
    assert (found.shown.words, found.shown.gaps) == (["So", "電影"], ["“", "”\n", " 👩"])


def test_masks_of_texts_without_the_text_are_read_as_words(tmp_path: Path) -> None:
    write_mask(tmp_path / "a.npz", np.array([0.5, 1.0]), ["so", "fun"])
    with np.load(tmp_path / "a.npz") as arrays:
        assert sorted(arrays.files) == ["mask", "tokens"]
    assert "".join(read_text_mask(tmp_path / "a.npz").shown.parts) == "so fun"


def test_equal_masks_make_equal_files(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_mask(tmp_path / name, np.ones((4, 4)))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("a.JPEG", "JPEG"), ("a.jpg", "JPEG")]
)
def test_the_extension_chooses_the_format(tmp_path: Path, name: str, kind: str) -> None:
    write_image(tmp_path / name, np.full((6, 5, 3), 200, dtype=np.uint8))
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (kind, (5, 6))


def test_text_that_utf8_cannot_hold_is_still_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "caf\udce9")
    assert (tmp_path / "a").read_text(encoding="utf-8") == "caf?"
