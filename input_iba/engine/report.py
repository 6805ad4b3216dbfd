"""The end of a run: the table and the HTML page, made from the work directory's records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from input_iba.errors import DataError, InputIBAError
from input_iba.results import (
    OWN_METHOD,
    Manifest,
    SampleRecord,
    WorkDir,
    read_text_mask,
    write_text,
    written_whole,
)
from input_iba.visualization import (
    Row,
    RunSummary,
    format_table,
    overview_page,
    write_contact_sheet,
)


def write_report(work: WorkDir, manifest: Manifest, ids: Iterable[str]) -> tuple[str, Path]:
    """Write the page; return the table and the page's path.

    Args:
        work: The work directory.
        manifest: What the page says about the run.
        ids: The samples in the order of table and page; those without a record are left out.
    """
    rows = rows_of(work, ids)
    identity = manifest.identity
    summary = RunSummary(
        title=Path(manifest.config_file).stem,
        facts={
            **({} if manifest.method == OWN_METHOD else {"Method": manifest.method}),
            **({"Layer": manifest.layer} if manifest.layer else {}),
            "Device": manifest.device,
            "Precision": identity.precision,
            "Seed": str(identity.seed),
            "Time for all": f"{sum(row.total_seconds for row in rows):.0f} s",
            "Finished": _readable(manifest.finished),
            "Config": identity.config[:12],
        },
        samples=manifest.samples,
        complete=manifest.complete,
        method="" if manifest.method == OWN_METHOD else manifest.method,
    )
    write_text(work.overview_path, overview_page(summary, rows))
    return format_table(rows), work.overview_path


def _readable(time: str | None) -> str:
    """Return a time of a manifest, which is in UTC, for reading."""
    return "not yet" if time is None else f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M} UTC"


def rows_of(work: WorkDir, ids: Iterable[str] | None = None) -> list[Row]:
    """Return the samples of a work directory as they are shown.

    Args:
        work: The work directory.
        ids: Which, and in which order; None for all in the order of the records.
    """
    records = work.records.load()
    chosen = (records[id_] for id_ in (records if ids is None else ids) if id_ in records)
    return [_row(record, work.root) for record in chosen]


def save_contact_sheet(work_dir: Path | str, path: Path | str) -> None:
    """Draw the finished samples of a work directory as one PNG.

    Args:
        work_dir: Folder of a run.
        path: The PNG.

    Raises:
        DataError: There is no run in the folder, or no finished sample in it.
    """
    try:
        work = WorkDir(Path(work_dir), resume=True)
    except InputIBAError as error:
        raise DataError(f"No run can be read from '{work_dir}': {error}") from error
    with written_whole(Path(path)) as aside:
        write_contact_sheet(aside, rows_of(work), work.root)


def _row(record: SampleRecord, root: Path) -> Row:
    return Row(
        id=record.id,
        class_name=record.class_name,
        probability=record.target_probability,
        predicted_class_name=record.predicted_class_name,
        predicted_probability=record.prediction_probability,
        seconds=record.seconds,
        feature_peak=record.feature_peak,
        files=record.files,
        failure=record.reason if record.status == "failed" else "",
        words=_words(record, root) if "highlights" in record.files else (),
    )


def _words(record: SampleRecord, root: Path) -> list[tuple[str, float]]:
    """Read a text with its input mask; nothing where the file is gone."""
    try:
        tokens, mask = read_text_mask(root / record.files["input_mask"])
    except DataError:
        return []
    return list(zip(tokens, mask.tolist(), strict=True))
