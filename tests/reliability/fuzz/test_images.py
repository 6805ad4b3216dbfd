"""Images whose bytes are broken: each is read or refused, and the others are explained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from PIL import Image

from input_iba.config.load import load_config
from input_iba.datasets.images import read_image
from input_iba.errors import DataError
from input_iba.results import RecordLog
from input_iba.run.options import RunOptions
from tests.reliability.conftest import Evidence, sized
from tests.reliability.fuzz.bounded import bounded, read_or_refused, readable, tried
from tests.reliability.fuzz.mutations import changed_bytes
from tests.reliability.fuzz.pictures import bomb, originals
from tests.tiny_runs import run, tiny_config, write_config, write_images


def reasons(work: Path) -> dict[str, str]:
    """Return by sample why it failed; empty where it is explained."""
    return {id_: one.reason for id_, one in RecordLog(work / "records.jsonl").load().items()}


SECTION = "Broken and hostile files"
LARGEST = 4096
"""MiB that reading takes at most: images of 179 megapixels, as Pillow lets through, and copies."""

IMAGES = originals()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images") / "image"


@pytest.mark.filterwarnings("ignore")  # Pillow's own, about what is broken
def test_every_broken_image_is_read_or_refused(place: Path, evidence: Evidence) -> None:
    counts = {"read": 0, "refused": 0}

    @tried(150, 1000)
    @given(content=changed_bytes(IMAGES))
    def check(content: bytes) -> None:
        place.write_bytes(content)
        found = read_or_refused(lambda: read_image(place), DataError, megabytes=LARGEST)
        if isinstance(found, Image.Image):
            assert found.mode == "RGB"
            assert np.asarray(found).shape == (found.height, found.width, 3)
        else:
            assert str(place) in str(found)
        counts["read" if isinstance(found, Image.Image) else "refused"] += 1

    check()
    assert min(counts.values()) > 2
    evidence(
        SECTION,
        "images with changed bytes (PNG, JPEG, GIF, BMP, TIFF, WebP)",
        sum(counts.values()),
        f"{counts['read']} read, {counts['refused']} refused by name, nothing else raised",
        "errors of Pillow's readers beyond those known ended in a traceback",
    )


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "JPEG"])
def test_a_decompression_bomb_is_refused_before_it_unfolds(
    place: Path, kind: str, evidence: Evidence
) -> None:
    place.write_bytes(bomb(kind))
    assert place.stat().st_size < 2**20
    found = read_or_refused(lambda: read_image(place), DataError, seconds=2, megabytes=64)
    assert isinstance(found, DataError)
    assert "exceeds limit" in str(found)
    evidence(
        SECTION,
        f"an image of 50,000×50,000 pixels in less than 1 MiB ({kind})",
        1,
        "refused within 64 MiB and 2 s",
    )


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xd8\xff", b"GIF89a", b"<svg/>", b"P6 0 0 1\n"]
)
def test_what_is_no_image_is_refused(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    with pytest.raises(DataError, match="Expected a whole file"):
        read_image(place)


@pytest.mark.filterwarnings("ignore")
def test_broken_images_fail_one_by_one_and_the_others_are_explained(
    tmp_path: Path, evidence: Evidence
) -> None:
    root, count = tmp_path / "data", sized(20, 1000)
    write_images(root / "estimation" / "cat", "abcd")
    write_images(root / "attribution" / "cat", ["good1", "good2"])
    kept: list[bytes] = [bomb("JPEG"), b"", IMAGES[0][:60]]

    @tried(count - len(kept), count - len(kept))
    @given(content=changed_bytes(IMAGES))
    def keep(content: bytes) -> None:
        kept.append(content)

    keep()
    for i, content in enumerate(kept[:count]):
        (root / "attribution" / "cat" / f"broken{i:04d}.png").write_bytes(content)
    config = tiny_config(root)
    config["data"]["attribution"]["pipeline"] = [
        {"type": "Resize", "height": 16, "width": 16},
        *config["data"]["attribution"]["pipeline"],
    ]
    loaded = load_config(write_config(tmp_path / "tiny.py", config))
    options = RunOptions(work_dir=tmp_path / "work", device="cpu", progress_bar=False)
    with bounded(seconds=600, megabytes=LARGEST):
        result, _ = run(loaded, options)
    records = reasons(tmp_path / "work")
    assert result.done + result.failed == len(kept[:count]) + 2
    assert result.failed >= 3
    assert {"good1", "good2"} <= {id_ for id_, reason in records.items() if not reason}
    assert all(readable(reason) and ".png" in reason for reason in records.values() if reason)
    evidence(
        SECTION,
        "a run over images with changed bytes, a bomb among them",
        len(kept[:count]),
        f"{result.done} samples explained, {result.failed} recorded as failed, exit status 1",
    )
