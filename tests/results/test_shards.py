"""Shards: standard tars, read by ranges; packed whole, and nothing is lost on the way."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from input_iba.core.remote import put_whole, read_range
from input_iba.errors import DataError, MissingExtraError, StoreError
from input_iba.results import Manifest, SampleRecord, StoredFiles, WorkDir
from input_iba.results.map_files import find_maps, own_maps, read_map
from input_iba.results.packing import Packer
from input_iba.results.shards import Member
from tests.report.work_dirs import make_run

fsspec = pytest.importorskip("fsspec")

IDS = ["a.b/1", "b 50%#", "c" * 200, "ä"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server with the interface of S3 on the loopback; return its address."""
    moto = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    found = moto.ThreadedMotoServer(port=0)
    found.start()
    yield "http://{}:{}".format(*found.get_host_and_port())
    found.stop()


@pytest.fixture(params=["in the work directory", "in another folder", "memory", "s3"])
def at(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str | None:
    """Return where shards are put."""
    if request.param == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("server"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "any")
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("masks", exist_ok=True)
        return f"s3://masks/{tmp_path.name}"
    places = {"in another folder": str(tmp_path / "far"), "memory": f"memory://{tmp_path.name}"}
    return places.get(request.param)


def packer(work: WorkDir, at: str | None = None, size: int = 3, rank: int = 0) -> Packer:
    return Packer(work.root, Manifest.read(work.manifest_path), at, size, rank)


def loose(work: WorkDir) -> dict[str, bytes]:
    """Return the files of samples that are files of their own."""
    return {
        file: (work.root / file).read_bytes()
        for record in work.records.scan()
        for file in record.files.values()
        if (work.root / file).is_file()
    }


def test_what_is_packed_is_read_as_before(tmp_path: Path, at: str | None) -> None:
    work = make_run(tmp_path / "run", IDS)
    before = loose(work)
    maps = {id_: read_map(path).numpy() for id_, path in find_maps(work.root, IDS).items()}
    packing = packer(work, at)
    packing.add(work.records.scan())
    assert len(loose(work)) == len(before) // 4  # of the sample that waits for two others
    packing.close()
    assert loose(work) == {}
    stored = StoredFiles(work.root)
    assert {file: stored.at(file).open("rb").read() for file in before} == before
    assert work.finished() == IDS
    for folder in (work.root, work.root / "input_masks"):
        found = find_maps(folder, IDS)
        assert list(found) == IDS
        assert all(np.array_equal(read_map(found[id_]).numpy(), maps[id_]) for id_ in IDS)
    assert own_maps(work.root).name == "input_masks"


def test_a_reader_of_webdataset_finds_samples_with_their_records(tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    work = make_run(tmp_path / "run", IDS)
    before = loose(work)
    packer(work, size=4).add(work.records.scan())
    [tar] = (work.root / "shards").glob("*.tar")
    samples = list(webdataset.WebDataset(str(tar), shardshuffle=False, empty_check=False))
    assert len(samples) == 4
    for sample, record in zip(samples, work.records.scan(), strict=True):
        assert json.loads(sample["json"])["id"] == record.id
        assert sample["input_mask.npz"] == before[record.files["input_mask"]]
        assert sample["photograph.jpg"] == before[record.files["photograph"]]
    [decoded] = webdataset.WebDataset(str(tar), shardshuffle=False).decode("rgb").slice(1)
    assert decoded["overlay.jpg"].shape == (32, 32, 3)
    assert decoded["input_mask.npz"]["mask"].shape == (32, 32)


def test_one_file_is_read_without_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = make_run(tmp_path / "run", IDS)
    packer(work, f"memory://{tmp_path.name}", size=4).add(work.records.scan())
    asked = list[int]()
    store = fsspec.filesystem("memory")
    cat = store.cat_file

    def counted(path: str, start: int, end: int) -> bytes:
        asked.append(end - start)
        return bytes(cat(path, start=start, end=end))

    monkeypatch.setattr(store, "cat_file", counted)
    member = StoredFiles(work.root).at("input_masks/ä.npz")
    size = len(member.open("rb").read())
    [length] = asked
    assert size < length < size + 4 * 512
    [tar] = store.ls(f"/{tmp_path.name}", detail=True)
    assert 10 * length < tar["size"]


@pytest.mark.parametrize("moment", ["put", "index", "removal"])
def test_a_process_that_is_killed_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    work = make_run(tmp_path / "run", IDS)
    before = loose(work)
    what = {"put": "put_whole", "index": "Index.write", "removal": "Packer._remove"}[moment]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(f"input_iba.results.packing.{what}", killed)
        packer(work, str(tmp_path / "far")).add(work.records.scan())
    assert loose(work) == before
    finished, left = work.survey()
    assert finished == left == IDS
    again = packer(work, str(tmp_path / "far"))
    again.take_up(work.records.scan(left))
    again.close()
    assert loose(work) == {}
    assert work.survey() == (IDS, [])
    stored = StoredFiles(work.root)
    assert {file: stored.at(file).open("rb").read() for file in before} == before
    assert len(list((tmp_path / "far").iterdir())) == 2


def test_each_process_has_shards_of_its_own(tmp_path: Path) -> None:
    work = make_run(tmp_path / "run", IDS)
    for rank, record in enumerate(work.records.scan()):
        packer(work, size=1, rank=rank % 2).add([record])
    names = sorted(path.stem[8:] for path in (work.root / "shards").glob("*.tar"))
    assert names == [f"-000{rank}-00000{number}" for rank in range(2) for number in range(2)]
    assert work.finished() == IDS


def test_a_store_that_cannot_be_reached_keeps_files_and_says_so(tmp_path: Path) -> None:
    work = make_run(tmp_path / "run", IDS)
    before = loose(work)
    for url in ("nowhere://bucket", "simplecache::memory://a"):
        with pytest.raises((StoreError, DataError), match=url):
            packer(work, url).add(work.records.scan())
    assert loose(work) == before
    assert work.finished() == IDS


def test_without_its_package_a_url_asks_for_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'input-iba\[store\]'"):
        put_whole(tmp_path / "a", "memory://a")


def damaged(work: WorkDir, how: str) -> None:
    [tar] = (work.root / "shards").glob("*.tar")
    if how == "cut off":
        os.truncate(tar, 700)
    elif how == "gone":
        tar.unlink()
    elif how == "no tar":
        tar.write_bytes(b"secret" * tar.stat().st_size)
    else:
        entries = {
            "another": tarfile.TarInfo("another.png"),
            "link": tarfile.TarInfo("b 50%25%23.input_mask.npz"),
        }
        entries["link"].type, entries["link"].linkname = tarfile.SYMTYPE, "/etc/passwd"
        with tarfile.open(tar, "w") as stream:
            for _ in range(100):
                stream.addfile(entries[how], io.BytesIO())


@pytest.mark.parametrize("how", ["cut off", "gone", "no tar", "another", "link"])
def test_what_is_no_longer_there_is_an_error_that_names_it(tmp_path: Path, how: str) -> None:
    work = make_run(tmp_path / "run", ["b 50%#"])
    packer(work, size=1).add(work.records.scan())
    damaged(work, how)
    [file] = [f for f in StoredFiles(work.root).below("input_masks") if f.endswith(".npz")]
    with pytest.raises(DataError, match=r"\.tar"):
        StoredFiles(work.root).at(file).open("rb")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 2, "shard": "a.tar", "columns": [], "samples": {}}',
        '{"format": 1, "shard": "a.tar", "columns": [["a"]], "samples": {}}',
        '{"format": 1, "shard": "a.tar", "columns": [["a", "b", "c"]], "samples": {"x": [1]}}',
        '{"format": 1, "shard": "a.tar", "columns": [["a", "b", "c"]], "samples": {"x": [1, -1]}}',
    ],
)
def test_a_broken_index_counts_as_absent(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "x.json").write_text(text)
    assert StoredFiles(tmp_path).below("b") == []
    assert "cannot be read as the index of a shard" in caplog.text


def test_a_shard_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    index = {"format": 1, "shard": "../../a.tar", "columns": [], "samples": {}}
    (tmp_path / "shards" / "x.json").write_text(json.dumps(index))
    with pytest.raises(DataError, match="outside its work directory"):
        StoredFiles(tmp_path).below("b")


def test_ranges_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    assert read_range(str(tmp_path / "a"), 2, 3) == b"234"
    with pytest.raises(DataError, match="cut off"):
        read_range(str(tmp_path / "a"), 8, 3)


def test_stores_of_other_kinds_are_written_aside(tmp_path: Path) -> None:
    """Files of `local://` stand for those of a server by SSH, which appear bit by bit."""
    (tmp_path / "a").write_bytes(b"all of it")
    put_whole(tmp_path / "a", f"local://{tmp_path}/far/b.tar")
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["b.tar"]
    assert (tmp_path / "far" / "b.tar").read_bytes() == b"all of it"


def test_files_that_have_no_place_in_common_stay_loose(tmp_path: Path) -> None:
    work = make_run(tmp_path / "run", ["a"])
    record = SampleRecord("a", "done", files={"input_mask": "input_masks/a.npz", "heat": "x/b.png"})
    packing = packer(work, size=1)
    packing.add([record])
    packing.close()
    assert isinstance(StoredFiles(work.root).at("input_masks/a.npz"), Path)
    assert not isinstance(StoredFiles(work.root).at("input_masks/a.npz"), Member)
