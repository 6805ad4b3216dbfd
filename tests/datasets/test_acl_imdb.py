"""Reviews on disk: found, unpacked, downloaded, or an error that says what to put where."""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from input_iba.datasets import imdb
from input_iba.datasets.imdb import ADDRESS, review_folder
from input_iba.errors import DataError
from tests.datasets.reviews import TEXTS, write_archive, write_reviews


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def online(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[str]:
    asked: list[str] = []

    def answer(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(content)

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    return asked


def files(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


EXPECTED = {
    f"{part}/{name}.txt": text for part, rows in TEXTS.items() for name, text in rows.items()
}


@pytest.mark.parametrize("place", ["", "aclImdb"])
def test_a_folder_is_taken_where_it_lies(tmp_path: Path, place: str) -> None:
    write_reviews(tmp_path / place)
    assert review_folder(tmp_path) == tmp_path / place


@pytest.mark.parametrize("name", ["aclImdb_v1.tar.gz", "aclImdb.tar.gz"])
def test_a_local_archive_is_unpacked(tmp_path: Path, name: str) -> None:
    source = write_reviews(tmp_path / "source")
    (source / "train/unsup").mkdir()
    (source / "train/unsup/0_0.txt").write_text("no label")
    (source / "README").write_text("read me")
    archive = write_archive(tmp_path / "data" / name, source)
    assert review_folder(archive.parent) == archive.parent / "aclImdb"
    assert files(archive.parent / "aclImdb") == EXPECTED
    assert sorted(p.name for p in archive.parent.iterdir()) == sorted(["aclImdb", name])


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    path = tmp_path / "data/aclImdb.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name in ("../../train/pos/0_9.txt", "/tmp/train/pos/1_9.txt", "train/pos/../../x.txt"):
            member = tarfile.TarInfo(name)
            member.size = 5
            archive.addfile(member, io.BytesIO(b"great"))
        link = tarfile.TarInfo("train/neg/0_1.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    folder = review_folder(path.parent)
    assert set(files(folder)) == {"train/pos/0_9.txt", "train/pos/1_9.txt"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]


def test_without_a_network_the_error_says_what_to_put_where(tmp_path: Path) -> None:
    root = tmp_path / "imdb"
    with pytest.raises(DataError) as caught:
        review_folder(root)
    for part in ("not known", ADDRESS, f"into '{root}'", f"{root}/aclImdb/train/pos"):
        assert part in str(caught.value)
    assert not list(tmp_path.rglob("*.part"))


def test_a_download_is_checked_and_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write_archive(tmp_path / "a.tar.gz", write_reviews(tmp_path / "source")).read_bytes()
    root = tmp_path / "imdb"
    asked = online(monkeypatch, content)
    with pytest.raises(DataError, match="the MD5 sum 7c2ac02c"):
        review_folder(root)
    assert not list(root.iterdir()), "what does not have the checksum is not kept"
    monkeypatch.setattr(imdb, "MD5", hashlib.md5(content).hexdigest())
    assert files(review_folder(root)) == EXPECTED
    assert asked == [ADDRESS] * 2
    online(monkeypatch, b"")
    assert review_folder(root) == root / "aclImdb", "it is there now"


@pytest.mark.parametrize("left", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_damaged_archive_leaves_nothing(tmp_path: Path, left: float) -> None:
    path = write_archive(tmp_path / "data/aclImdb.tar.gz", write_reviews(tmp_path / "source"))
    content = path.read_bytes()
    path.write_bytes(content[: int(left * len(content))])
    with pytest.raises(DataError, match=r"aclImdb\.tar\.gz' cannot be unpacked.*delete it"):
        review_folder(path.parent)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_another_archive_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/notes.txt").write_text("nothing")
    path = write_archive(tmp_path / "data/aclImdb.tar.gz", tmp_path / "source")
    with pytest.raises(DataError, match="has no files aclImdb/train/pos"):
        review_folder(path.parent)
    with pytest.raises(DataError, match="found a file"):
        review_folder(path)


def test_another_process_that_was_faster_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_archive(tmp_path / "data/aclImdb.tar.gz", write_reviews(tmp_path / "source"))
    opened = tarfile.open

    def late(**keys: Any) -> tarfile.TarFile:
        write_reviews(path.parent / "aclImdb")
        return opened(**keys)

    monkeypatch.setattr(tarfile, "open", late)
    assert files(review_folder(path.parent)) == EXPECTED
    assert not list(path.parent.glob(".*"))
