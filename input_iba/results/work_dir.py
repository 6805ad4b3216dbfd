"""A work directory: what lies where, what is finished, and who may write to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from input_iba.core.files import remove_parts
from input_iba.errors import ResumeError
from input_iba.results.manifest import Manifest, now_text
from input_iba.results.resume import may_continue, refuse_changes
from input_iba.results.sample_log import RecordLog
from input_iba.results.stored import ListedFiles
from input_iba.results.writing import write_text


class WorkDir:
    """The folder that one run, or a run and its resumptions, writes to.

    Layout: `config.py`, `log_file.log`, `manifest.json`, `records.jsonl`, `report.html`,
    `feature_statistics.npz`, and the folders `maps`, `input_masks`, `feat_masks`, `prior_masks`,
    `images` and `overlays`. Of several processes the first opens and claims the folder; the
    others join, with a log and records of their own: `log_file.rank1.log`, `records.rank1.jsonl`.
    Where files are packed, they are in `shards` in place of the folders.

    Raises:
        ResumeError: The folder holds something that this run would mix with its own files.
    """

    def __init__(self, root: Path, *, resume: bool = False, rank: int = 0) -> None:
        self.root = root
        self._what = f"The run in '{root}'"
        self.config_path = root / "config.py"
        self.log_path = root / (f"log_file.rank{rank}.log" if rank else "log_file.log")
        self.manifest_path = root / "manifest.json"
        self.statistics_path = root / "feature_statistics.npz"
        self.report_path = root / "report.html"
        self.records = RecordLog(root / "records.jsonl", rank)
        self.resumed = rank == 0 and self._may_continue(resume)
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResumeError(f"Work directory '{root}' cannot be made: {error}.") from error

    def _may_continue(self, resume: bool) -> bool:
        """Return whether a run is continued; refuse what would mix two runs."""
        if self.root.exists() and not self.root.is_dir():
            raise ResumeError(f"Work directory '{self.root}' is a file. Choose another --work-dir.")
        # A run that ended before it explained anything, for a wrong layer say, may be begun anew.
        content = {p.name for p in self.root.iterdir()} if self.root.is_dir() else set()
        logs = [path for end in ("log", "lock") for path in self.root.glob(f"log_file*.{end}")]
        beginnings = (*logs, self.manifest_path, self.config_path, self.report_path)
        if not content - {path.name for path in beginnings}:
            return False
        if not self.manifest_path.is_file():
            raise ResumeError(
                f"Work directory '{self.root}' holds files but no manifest.json, so no run of "
                "this tool is in it. Choose another --work-dir."
            )
        return may_continue(self._what, {}, {}, resume)  # what is the same is compared later

    def check_config(self, digest: str, text: str) -> None:
        """Refuse to continue a run whose config had another digest; say where texts differ.

        Raises:
            ResumeError: The config changed.
        """
        if not self.resumed or Manifest.read(self.manifest_path).identity.config == digest:
            return
        old = self.config_path.read_text(encoding="utf-8") if self.config_path.is_file() else ""
        refuse_changes(self._what, {"config": old}, {"config": text})

    def claim(self, manifest: Manifest, config_text: str) -> Manifest:
        """Write and return the manifest, write the config, and clear what was left half-written.

        Raises:
            ResumeError: The run to be continued differs in something that changes masks.
        """
        now = now_text()
        started = replace(manifest, started=now)
        if self.resumed:
            earlier = Manifest.read(self.manifest_path)
            refuse_changes(self._what, earlier.identity.plain(), manifest.identity.plain())
            started = replace(manifest, started=earlier.started, resumed=[*earlier.resumed, now])
        started.write(self.manifest_path)
        write_text(self.config_path, config_text)
        remove_parts(self.root)
        self.records.tidy()
        return started

    def finished(self) -> list[str]:
        """Return the samples of which every file exists."""
        return self.survey()[0]

    def survey(self) -> tuple[list[str], list[str]]:
        """Return the samples of which every file exists, and those of them that lie loose."""
        stored = ListedFiles(self.root)
        finished, loose = list[str](), list[str]()
        for id_, files in self.records.done():
            if files and stored.have(files):
                finished.append(id_)
                if stored.loose(files):
                    loose.append(id_)
        return finished, loose

    def close(self, manifest: Manifest, order: Iterable[str], *, tidy: bool = True) -> Manifest:
        """Order the records, count them, write the final manifest and return it.

        They may be made one file, `tidy`, while no other process appends.
        """
        ids = list(order)
        if tidy:
            self.records.tidy(ids)
        finished, failures = set(self.finished()), set(self.records.failed())
        done, failed = (sum(id_ in those for id_ in ids) for those in (finished, failures))
        final = replace(manifest, finished=now_text(), done=done, failed=failed)
        final = replace(final, complete=done == manifest.samples)
        final.write(self.manifest_path)
        return final
