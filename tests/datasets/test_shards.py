"""Images and texts in tar shards, and in data sets of Hugging Face on disk."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from input_iba.datasets import SampleDataset, build_dataset
from input_iba.datasets.loading import read_batches
from input_iba.errors import ConfigError, DataError, InputIBAError, MissingExtraError
from input_iba.records import Failure, ImageSample, TextSample

PIPELINE = [{"type": "ToTensorV2"}]


def picture(number: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 6), (number, 0, 0)).save(stream, format="PNG")
    return stream.getvalue()


def write_tar(path: Path, samples: Mapping[str, Mapping[str, bytes]]) -> Path:
    """Write a shard by WebDataset's own writer."""
    webdataset = pytest.importorskip("webdataset")
    with webdataset.TarWriter(str(path), encoder=False) as writer:
        for key, parts in samples.items():
            writer.write({"__key__": key, **parts})
    return path


def read(dataset: SampleDataset) -> dict[str, Any]:
    """Return target and content of each sample, or why it failed."""
    found: dict[str, Any] = {}
    for [item] in read_batches(dataset, [[i] for i in range(len(dataset))]):
        if isinstance(item, Failure):
            found[item.id] = item.reason
        elif isinstance(item, TextSample):
            found[item.id] = (item.target, item.text)
        else:
            assert isinstance(item, ImageSample)
            found[item.id] = (item.target, int(item.image[0, 0, 0]))
    return found


def images(shards: Any, **keys: Any) -> SampleDataset:
    return build_dataset({"type": "ImageShards", "shards": shards, "pipeline": PIPELINE, **keys})


@pytest.fixture
def tars(tmp_path: Path) -> str:
    first = {f"a/{i:03d}.x": {"png": picture(i), "cls": str(i % 2).encode()} for i in range(3)}
    write_tar(tmp_path / "train-000.tar", {key.replace(".x", ""): v for key, v in first.items()})
    broken = {"png": b"no picture", "cls": b"1"}
    unlabelled, bare = {"png": picture(9)}, {"cls": b"0"}
    more = {"a/001": {"png": picture(7), "cls": b"2"}, "broken": broken}
    write_tar(tmp_path / "train-001.tar", {**more, "unlabelled": unlabelled, "bare": bare})
    return str(tmp_path / "train-*.tar")


def test_images_and_classes_come_from_shards_and_bad_records_fail_alone(tars: str) -> None:
    dataset = images(tars)
    assert dataset.class_names == ["0", "1", "2"]
    assert dataset.indices_given
    found = read(dataset)
    whole = {"a/000": (0, 0), "a/001_2": (1, 1), "a/002": (0, 2), "a/001_4": (2, 7)}
    assert {id_: found.pop(id_) for id_ in whole} == whole
    assert "cannot be read" in found["broken"]
    assert "has no '.cls', but png" in found["unlabelled"]
    assert "has no image, but cls" in found["bare"]
    assert len(found) == 3


def test_classes_may_be_names_in_json(tmp_path: Path) -> None:
    def said(name: object) -> bytes:
        return json.dumps({"about": {"label": name}}).encode()

    tar = write_tar(
        tmp_path / "a.tar",
        {
            str(i): {"png": picture(i), "json": said(name)}
            for i, name in enumerate(["dog", "cat", "fish", None])
        },
    )
    dataset = images(tar, label="json.about.label")
    assert dataset.class_names == ["cat", "dog", "fish"]
    assert not dataset.indices_given
    assert [dataset.target(i) for i in range(4)] == [1, 0, 2, None]
    found = read(images(tar, label="json.about.label", classes=["dog", "cat"]))
    assert [found["0"][0], found["1"][0]] == [0, 1]
    assert "Unknown class 'fish'" in found["2"]
    assert "neither text nor number" in found["3"]
    assert read(images(tar, label=None))["2"] == (None, 2)


def test_texts_come_from_shards(tmp_path: Path) -> None:
    texts = {"a": "A fine film.", "b": "Dull.", "c": ""}
    samples = {
        key: {"txt": text.encode(), "cls": b"pos", "json": json.dumps({"words": text}).encode()}
        for key, text in texts.items()
    }
    tar = write_tar(tmp_path / "a.tar", {**samples, "d": {"txt": b"\xff", "cls": b"pos"}})
    cfg = {"type": "TextShards", "shards": [str(tar)]}
    for text in ("txt", "json.words"):
        dataset = build_dataset({**cfg, "text": text, "vocabulary": {**cfg, "text": text}})
        found = read(dataset)
        assert found["a"] == (0, "A fine film.")
        assert found["b"] == (0, "Dull.")
        assert "it has no word" in found["c"]
        assert "'d in " in found["d"]
    assert dataset.class_names == ["pos"]


def test_a_shard_that_is_cut_off_has_the_samples_before(tmp_path: Path) -> None:
    samples = {str(i): {"png": os.urandom(3000), "cls": b"0"} for i in range(3)}
    tar = write_tar(tmp_path / "a.tar", samples)
    os.truncate(tar, 10_500)
    found = read(images(tar))
    assert list(found) == ["0", "1"]
    assert "cut off" in found["1"]


def test_data_of_shards_have_a_fingerprint(tars: str, tmp_path: Path) -> None:
    before = images(tars).fingerprint()
    assert images(tars).fingerprint() == before
    write_tar(tmp_path / "train-000.tar", {"a/000": {"png": picture(0), "cls": b"1"}})
    assert images(tars).fingerprint() != before


def test_shards_may_lie_at_a_url(tars: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    store.put_file(str(tmp_path / "train-000.tar"), f"/{tmp_path.name}/a.tar")
    assert len(read(images(f"memory://{tmp_path.name}/a.tar"))) == 3


def test_what_is_no_shard_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("no tar" * 1000)
    with tarfile.open(tmp_path / "packed.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a.png"), io.BytesIO())
    tarfile.open(tmp_path / "empty.tar", "w").close()
    for name, said in (
        ("text.tar", "not compressed"),
        ("packed.tar", "not compressed"),
        ("empty.tar", "hold no sample"),
        ("absent.tar", "cannot be read"),
        ("absent*.tar", "No shard is called"),
    ):
        with pytest.raises(DataError, match=said):
            images(tmp_path / name)
    with pytest.raises(ConfigError, match="names no shard"):
        images([])


def test_a_link_in_a_shard_is_no_sample(tmp_path: Path) -> None:
    link = tarfile.TarInfo("a.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(link)
    with pytest.raises(DataError, match="hold no sample"):
        images(tmp_path / "a.tar")


class TestHuggingFace:
    """Data sets of Hugging Face on disk."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        datasets = pytest.importorskip("datasets")
        pictures = [{"bytes": picture(i), "path": None} for i in range(3)]
        columns = {
            "image": [*pictures, {"bytes": b"no picture", "path": None}, None],
            "label": [1, 0, 1, 0, 1],
            "text": ["A fine film.", "Dull.", "", None, "x"],
            "mood": ["good", "bad", "good", "bad", None],
            "name": ["first", "second", "third", "fourth", "fifth"],
        }
        features = datasets.Features(
            {
                "image": datasets.Image(),
                "label": datasets.ClassLabel(names=["cat", "dog"]),
                **dict.fromkeys(("text", "mood", "name"), datasets.Value("string")),
            }
        )
        table = datasets.Dataset.from_dict(columns, features=features)
        table.save_to_disk(str(tmp_path / "flat"))
        datasets.DatasetDict({"test": table}).save_to_disk(str(tmp_path / "split"))
        return tmp_path

    def test_images_have_the_classes_that_the_column_names(self, folder: Path) -> None:
        cfg = {"type": "HuggingFaceImages", "pipeline": PIPELINE, "folder": str(folder / "flat")}
        dataset = build_dataset({**cfg, "id": "name"})
        assert dataset.class_names == ["cat", "dog"]
        found = read(dataset)
        assert [found[id_] for id_ in ("first", "second", "third")] == [(1, 0), (0, 1), (1, 2)]
        assert "cannot be read" in found["fourth"]
        assert "has nothing in 'image'" in found["fifth"]
        again = build_dataset({**cfg, "id": "name"})
        assert again.fingerprint() == dataset.fingerprint()
        assert build_dataset({**cfg, "label": "mood"}).fingerprint() != dataset.fingerprint()
        turned = build_dataset({**cfg, "classes": ["dog", "cat"], "label": None})
        assert [turned.target(i) for i in range(2)] == [None, None]

    def test_texts_have_classes_by_their_names(self, folder: Path) -> None:
        cfg = {"type": "HuggingFaceTexts", "folder": str(folder / "split"), "split": "test"}
        cfg |= {"label": "mood"}
        dataset = build_dataset({**cfg, "vocabulary": cfg})
        found = read(dataset)
        assert dataset.class_names == ["bad", "good"]
        assert found["test_0"] == (1, "A fine film.")
        assert "it has no word" in found["test_2"]
        assert "has nothing in 'text'" in found["test_3"]
        assert found["test_4"] == (None, "x")

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({"folder": "split"}, "has the splits test"),
            ({"folder": "flat", "split": "test"}, "has no splits"),
            ({"folder": "flat", "image": "picture"}, "no column 'picture'"),
            ({"folder": "flat", "image": "text"}, "does not hold images"),
            ({"folder": "absent"}, "save_to_disk"),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, folder: Path, keys: dict[str, str], said: str
    ) -> None:
        place = str(folder / keys["folder"])
        with pytest.raises(InputIBAError, match=said):
            build_dataset(
                {"type": "HuggingFaceImages", "pipeline": PIPELINE, **keys, "folder": place}
            )

    def test_without_the_package_the_extra_is_named(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "datasets", None)
        with pytest.raises(MissingExtraError, match=r"input-iba\[datasets\]"):
            build_dataset({"type": "HuggingFaceTexts", "folder": str(tmp_path)})


def test_images_of_shards_are_those_of_a_folder(tmp_path: Path) -> None:
    samples = {}
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for i in range(2):
            content = picture(10 * i + len(label))
            (tmp_path / label / f"{label}{i}.png").write_bytes(content)
            samples[f"{label}{i}"] = {"png": content, "cls": label.encode()}
    folder = {"type": "ImageFolder", "img_root": str(tmp_path), "pipeline": PIPELINE}
    one, other = build_dataset(folder), images(write_tar(tmp_path / "a.tar", samples))
    assert (one.ids, one.class_names) == (other.ids, other.class_names)
    for i in range(4):
        assert one.target(i) == other.target(i)
        assert np.array_equal(one[i].image, other[i].image)
