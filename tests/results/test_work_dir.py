"""A work directory is never overwritten, and continued only by the run that it holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from input_iba.errors import ResumeError
from input_iba.results import Identity, Manifest, RecordLog, SampleRecord, WorkDir

IDENTITY = Identity("c0", "w0", "d0", "e0", "s0", 0, "fp32", "single_folder")
MANIFEST = Manifest(IDENTITY, "configs/a.py", "layer", "cpu", {}, samples=2)


def start(root: Path) -> WorkDir:
    work = WorkDir(root)
    work.claim(MANIFEST, "beta = 1\n")
    work.statistics_path.touch()
    return work


def test_a_run_that_ended_before_it_explained_anything_may_be_begun_anew(tmp_path: Path) -> None:
    WorkDir(tmp_path).claim(MANIFEST, "layer = 'wrong'\n")
    (tmp_path / "report.html").touch()
    other = replace(MANIFEST, identity=replace(IDENTITY, config="another"))
    work = WorkDir(tmp_path)
    work.check_config("another", "layer = 'right'\n")
    work.claim(other, "layer = 'right'\n")
    assert "right" in work.config_path.read_text()


def test_a_started_run_says_that_it_is_not_complete(tmp_path: Path) -> None:
    work = start(tmp_path / "run")
    values = json.loads(work.manifest_path.read_text())
    assert values["complete"] is False
    assert values["finished"] is None
    assert values["versions"]["torch"]
    assert values["identity"]["seed"] == 0
    assert work.config_path.read_text() == "beta = 1\n"


def test_a_used_folder_is_refused_without_resume(tmp_path: Path) -> None:
    start(tmp_path)
    with pytest.raises(ResumeError, match="--resume, or choose another --work-dir"):
        WorkDir(tmp_path)


def test_a_folder_of_other_files_is_refused_even_with_resume(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ResumeError, match=r"no manifest\.json"):
        WorkDir(tmp_path, resume=True)


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(ResumeError, match="is a file"):
        WorkDir(tmp_path / "a")


def test_a_log_alone_does_not_block_a_new_run(tmp_path: Path) -> None:
    (tmp_path / "log_file.log").write_text("error: layer not found")
    assert not WorkDir(tmp_path).resumed


def test_logs_of_several_processes_do_not_block_a_new_run(tmp_path: Path) -> None:
    for name in ("log_file.log", "log_file.rank1.log"):
        (tmp_path / name).write_text("error: layer not found")
    assert not WorkDir(tmp_path).resumed


def test_other_processes_join_without_a_check_and_write_beside(tmp_path: Path) -> None:
    work = start(tmp_path)
    other = WorkDir(tmp_path, rank=1)
    assert other.log_path == tmp_path / "log_file.rank1.log"
    other.check_config("c0", "")
    (tmp_path / "m.npz").write_text("x")
    other.records.append(SampleRecord("a", "done", files={"input_mask": "m.npz"}))
    assert list(work.finished()) == ["a"]
    assert work.close(MANIFEST, ["a", "b"], tidy=False).done == 1
    assert (tmp_path / "records.rank1.jsonl").is_file()  # where others may still append
    assert work.close(MANIFEST, ["a", "b"]).done == 1
    assert not (tmp_path / "records.rank1.jsonl").exists()


def test_a_resumed_run_merges_what_killed_processes_wrote(tmp_path: Path) -> None:
    start(tmp_path)
    RecordLog(tmp_path / "records.jsonl", 3).append(SampleRecord("a", "done"))
    again = WorkDir(tmp_path, resume=True)
    again.claim(MANIFEST, "beta = 1\n")
    assert list(again.records.load()) == ["a"]
    assert [path.name for path in tmp_path.glob("records*")] == ["records.jsonl"]


def test_resume_on_an_empty_folder_starts_anew(tmp_path: Path) -> None:
    assert not WorkDir(tmp_path / "new", resume=True).resumed


def test_a_changed_config_is_refused_with_a_diff(tmp_path: Path) -> None:
    start(tmp_path)
    work = WorkDir(tmp_path, resume=True)
    work.check_config("c0", "beta = 1\n")
    with pytest.raises(ResumeError, match="-beta = 1\n\\+beta = 2\n"):
        work.check_config("c1", "beta = 2\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, "--seed: was 0, now 1"),
        ({"precision": "bf16"}, "--precision: was fp32, now bf16"),
        ({"out_style": "image_folder"}, "--out-style"),
        ({"classifier": "w1"}, "weights of the classifier"),
        ({"data": "d1"}, r"data\.attribution"),
        ({"estimation_data": "e1"}, r"data\.estimation"),
        ({"samples": "s1"}, "--subset-file"),
    ],
)
def test_whatever_changes_masks_is_refused(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    start(tmp_path)
    work = WorkDir(tmp_path, resume=True)
    other = replace(MANIFEST, identity=replace(IDENTITY, **change))  # type: ignore[arg-type]
    with pytest.raises(ResumeError, match=said):
        work.claim(other, "beta = 1\n")
    assert Manifest.read(work.manifest_path).identity == IDENTITY


def test_a_broken_manifest_is_an_error_of_ours(tmp_path: Path) -> None:
    work = start(tmp_path)
    work.manifest_path.write_text('{"format": 1')
    with pytest.raises(ResumeError, match="cannot be read as the manifest"):
        WorkDir(tmp_path, resume=True).check_config("c0", "")


def test_a_sample_is_finished_only_with_all_its_files(tmp_path: Path) -> None:
    work = start(tmp_path)
    files = {"input_mask": "input_masks/a.npz", "photograph": "images/a.jpg"}
    (tmp_path / "input_masks").mkdir()
    (tmp_path / "input_masks" / "a.npz").write_text("x")
    work.records.append(SampleRecord("a", "done", files=files), SampleRecord("b", "failed", "no"))
    assert work.finished() == []
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_text("x")
    assert list(work.finished()) == ["a"]


def test_closing_counts_and_says_whether_all_is_there(tmp_path: Path) -> None:
    work = start(tmp_path)
    (tmp_path / "m.npz").write_text("x")
    files = {"input_mask": "m.npz"}
    work.records.append(SampleRecord("b", "failed", "no"), SampleRecord("a", "done", files=files))
    partial = work.close(MANIFEST, ["a", "b"])
    assert (partial.done, partial.failed, partial.complete) == (1, 1, False)
    work.records.append(SampleRecord("b", "done", files=files))
    whole = work.close(MANIFEST, ["a", "b"])
    assert (whole.done, whole.failed, whole.complete) == (2, 0, True)
    assert Manifest.read(work.manifest_path) == whole


def test_resuming_keeps_the_first_start_and_clears_half_files(tmp_path: Path) -> None:
    first = start(tmp_path)
    started = Manifest.read(first.manifest_path).started
    (tmp_path / "input_masks").mkdir()
    (tmp_path / "input_masks" / ".12-3.part").write_text("half")
    again = WorkDir(tmp_path, resume=True).claim(MANIFEST, "beta = 1\n")
    assert (again.started, len(again.resumed)) == (started, 1)
    assert list((tmp_path / "input_masks").iterdir()) == []
