"""Records and rows: appended line by line, the last one counts, a cut line is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import DataError, ResumeError
from input_iba.results import Entry, RecordLog, RowLog, SampleRecord


def test_records_come_back(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.jsonl")
    record = SampleRecord(
        "caf\udce9\n", "done", target=3, seconds={"prior": 1.5}, files={"input_mask": "a.npz"}
    )
    log.append(record)
    assert log.load() == {"caf\udce9\n": record}


def test_no_file_is_no_records(tmp_path: Path) -> None:
    assert RecordLog(tmp_path / "records.jsonl").load() == {}


def test_the_last_record_of_a_sample_counts(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.jsonl")
    log.append(SampleRecord("a", "failed", "broken"), SampleRecord("b", "done"))
    log.append(SampleRecord("a", "done"))
    assert [record.status for record in log.load().values()] == ["done", "done"]


HOSTILE = st.sampled_from(['", "status": "done"', ', "files": {', '}, "losses": {', "\\", '"}'])
TEXTS = st.lists(st.text(max_size=4) | HOSTILE, max_size=3).map("".join)


@given(
    st.builds(
        SampleRecord,
        id=TEXTS,
        status=st.sampled_from(["done", "failed"]),
        reason=TEXTS,
        class_name=TEXTS,
        checks=st.dictionaries(TEXTS, st.none(), max_size=2),
        files=st.dictionaries(TEXTS, TEXTS, max_size=2),
        losses=st.dictionaries(TEXTS, st.just([1.0]), max_size=2),
    )
)
def test_what_is_done_is_told_without_reading_whole_records(record: SampleRecord) -> None:
    with TemporaryDirectory() as folder:
        log = RecordLog(Path(folder) / "records.jsonl")
        log.append(record)
        done = record.status == "done"
        assert list(log.done()) == ([(record.id, record.files)] if done else [])
        assert list(log.failed()) == ([] if done else [record.id])


def test_a_line_cut_off_by_a_crash_counts_as_absent_and_is_cleared(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.jsonl")
    log.append(SampleRecord("a", "done"), SampleRecord("b", "done"))
    log.path.write_bytes(log.path.read_bytes()[:-20])
    assert list(log.load()) == ["a"]
    log.tidy()
    log.append(SampleRecord("c", "done"))
    assert list(log.load()) == ["a", "c"]


def test_a_first_line_cut_off_by_a_crash_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "a", "sta')
    log = RecordLog(path)
    log.tidy()
    log.append(SampleRecord("b", "done"))
    assert list(log.load()) == ["b"]


def test_a_line_of_other_types_counts_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    odd = ('{"id": ["a"], "status": "done"}', '{"id": "c", "status": "done", "files": "x"}')
    nan = '{"id": "d", "status": "done", "peak": NaN}'
    path.write_text("\n".join([*odd, nan, '{"id": "b", "status": "done"}', "\u2028"]))
    assert list(RecordLog(path).load()) == ["b"]


def test_tidying_orders_and_keeps_one_line_per_sample(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.jsonl")
    log.append(SampleRecord("b", "failed"), SampleRecord("a", "done"), SampleRecord("x", "done"))
    log.append(SampleRecord("b", "done"))
    log.tidy(["a", "b", "c"])
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["id"], line["status"]) for line in lines] == [
        *(("a", "done"), ("b", "done"), ("x", "done"))
    ]


def test_each_process_writes_a_file_of_its_own_and_readers_merge(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    RecordLog(path).append(SampleRecord("a", "failed"), SampleRecord("b", "failed"))
    for rank in (2, 11):
        RecordLog(path, rank).append(SampleRecord(f"r{rank}", "done"))
    RecordLog(path, 2).append(SampleRecord("a", "done"))
    own = tmp_path / "records.rank2.jsonl"
    own.write_bytes(own.read_bytes() + b'{"id": "cut off')
    assert path.read_text().count("\n") == 2
    for rank in (0, 2, 5):
        statuses = {id_: record.status for id_, record in RecordLog(path, rank).load().items()}
        assert statuses == {"a": "done", "b": "failed", "r2": "done", "r11": "done"}


def test_tidying_leaves_one_file(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "records.jsonl")
    RecordLog(log.path, 1).append(SampleRecord("b", "done"))
    log.append(SampleRecord("c", "done"), SampleRecord("a", "done"))
    before = log.load()
    log.tidy("abc")
    assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]
    assert log.load() == before
    assert list(log.load()) == ["a", "b", "c"]


def test_the_explained_class_is_told_with_the_most_probable() -> None:
    top: list[list[str | float]] = [["tabby", 0.75], ["lynx", 0.125]]
    explained = SampleRecord("a", "done", "", "", 7, "lynx", target_probability=0.125)
    assert replace(explained, top_classes=top).classes() == [("tabby", 0.75), ("lynx", 0.125)]
    other = replace(explained, class_name="fox", target_probability=0.01, top_classes=top)
    assert other.classes() == [("tabby", 0.75), ("lynx", 0.125), ("fox", 0.01)]
    asked = replace(other, target=None, class_name="lynx rather than fox")
    assert asked.classes() == [("tabby", 0.75), ("lynx", 0.125)]
    own_loss = SampleRecord("a", "done", top_classes=top)
    assert own_loss.classes() == [("tabby", 0.75), ("lynx", 0.125)]
    assert explained.classes() == []  # of an earlier release


IDENTITY = {"metric": "ehr", "seed": 0}
ROW = Entry("a\n", "scored", {"auc": 0.5}, stamp="1/2")


@pytest.fixture
def log(tmp_path: Path) -> RowLog:
    log = RowLog(tmp_path / "a.rows.jsonl")
    assert log.begin(IDENTITY, resume=False) == {}
    return log


def test_entries_come_back_and_the_last_counts(log: RowLog) -> None:
    log.append(Entry("b", "failed", reason="broken"))
    log.append(ROW)
    log.append(Entry("b", "skipped", reason="no boxes"))
    found = log.begin(IDENTITY, resume=True)
    assert found == {ROW.id: ROW, "b": Entry("b", "skipped", reason="no boxes")}


def test_rows_are_not_overwritten_without_resume(log: RowLog) -> None:
    assert log.begin({"metric": "other"}, resume=False) == {}  # nothing to lose
    log.append(ROW)
    with pytest.raises(ResumeError, match=r"1 samples.*--resume"):
        log.begin({"metric": "other"}, resume=False)
    assert log.begin({"metric": "other"}, resume=True) == {ROW.id: ROW}


def test_rows_made_otherwise_are_refused(log: RowLog) -> None:
    log.append(ROW)
    with pytest.raises(ResumeError, match="seed: was 0, now 1"):
        log.begin({**IDENTITY, "seed": 1}, resume=True)


def test_a_line_cut_off_by_a_crash_is_no_entry(log: RowLog) -> None:
    log.append(ROW)
    with log.path.open("a") as stream:
        stream.write('{"id": "b", "sta')
    assert log.begin(IDENTITY, resume=True) == {ROW.id: ROW}
    log.append(Entry("b", "skipped", reason="no boxes"))
    assert set(log.begin(IDENTITY, resume=True)) == {ROW.id, "b"}


def test_nothing_to_resume_is_a_beginning(tmp_path: Path) -> None:
    log = RowLog(tmp_path / "new.rows.jsonl")
    assert log.begin(IDENTITY, resume=True) == {}
    assert log.path.is_file()


@pytest.mark.parametrize(
    "file",
    [
        *("../a.npz", "maps/../../a.npz", "/etc/passwd", "//host/a", "C:\\a.npz", "C:a.npz"),
        *(
            "..",
            "maps/..",
            "/a.npz",
            "maps\\..\\..\\a.npz",
            "\\a.npz",
            "maps/a\0.npz",
            "elsewhere/a.npz",
        ),
    ],
)
def test_files_outside_the_work_directory_are_refused(tmp_path: Path, file: str) -> None:
    root = tmp_path / "work"
    (tmp_path / "other").mkdir()
    root.mkdir()
    (root / "elsewhere").symlink_to(tmp_path / "other")
    log = RecordLog(root / "records.jsonl")
    log.append(SampleRecord("a", "done", files={"map": "maps/a.npz", "heat": file}))
    with pytest.raises(DataError, match="outside its work directory"):
        log.load()
