"""The work directory of a training of VIBI, and the results that it holds in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from input_iba.core.files import parse_json, read_json, remove_parts
from input_iba.errors import ResumeError
from input_iba.results import installed_versions, may_continue, write_json, write_text
from input_iba.results.checked import checked
from input_iba.results.manifest import now_text
from input_iba.results.writing import append_text
from input_iba.vibi.fidelity import Fidelity


@dataclass(frozen=True)
class VibiResult:
    """What came out of the best epoch, on what is held out and on the test set.

    `black_box_accuracy` is that on the test set; `seconds` are those of all starts.
    """

    work_dir: Path
    validation: Fidelity
    test: Fidelity
    black_box_accuracy: float
    seconds: float


class VibiFolder:
    """The work directory of a run: which files, and whether the run may continue there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.py"
        self.manifest = root / "manifest.json"
        self.log = root / "log_file.log"
        self.metrics = root / "metrics.jsonl"
        self.results = root / "results.json"
        self.best = root / "best.pth"
        self.last = root / "last.pth"
        self.pictures = root / "pictures"
        self.tensorboard = root / "tensorboard"

    def begin(self, identity: Mapping[str, Any], device: str, config: str, resume: bool) -> None:
        """Write manifest and effective config, or check that the run there may be continued.

        Raises:
            ResumeError: There is a run and `resume` is not set, or it was made otherwise.
        """
        manifest: dict[str, Any] = {"format": 1, "started": now_text(), "resumed": []}
        then = None
        if self.manifest.exists() and (self.last.exists() or self.results.exists()):
            manifest = _read(self.manifest, {"identity": dict, "resumed": list})
            then = manifest["identity"]
        remove_parts(self.pictures)
        what = f"The training in '{self.root}'"
        if may_continue(what, then, identity, resume, option="--resume_training"):
            manifest["resumed"].append(now_text())
        now = {"identity": identity, "device": device, "versions": installed_versions()}
        write_json(self.manifest, {"complete": False, **manifest, **now})
        write_text(self.config, config)

    def end(self, result: VibiResult) -> None:
        """Write the results and say in the manifest that the run is complete."""
        found = {k: v for k, v in asdict(result).items() if k != "work_dir"}
        write_json(self.results, {**found, "warning": result.test.warning})
        self.complete()

    def complete(self) -> None:
        """Say in the manifest that the run is complete, where a kill kept it from doing so too."""
        manifest = _read(self.manifest, {})
        if not manifest.get("complete"):
            write_json(self.manifest, {**manifest, "complete": True, "finished": now_text()})

    def result(self) -> VibiResult | None:
        """Return the results of a complete run, or None."""
        if not self.results.exists():
            return None
        found = _read(self.results, {"validation": dict, "test": dict})
        try:
            for name in ("validation", "test"):
                found[name] = checked(Fidelity, found[name])
            return checked(VibiResult, found, work_dir=self.root)
        except (ValueError, TypeError) as error:
            raise _unreadable(self.results, error) from error

    def keep_metrics(self, epochs: int) -> float:
        """Drop the lines of later epochs, which a stopped run wrote; return the others' seconds."""
        lines = []
        if self.metrics.exists():
            lines = self.metrics.read_text(encoding="utf-8").splitlines()[:epochs]
        write_text(self.metrics, "".join(f"{line}\n" for line in lines))
        return sum(map(_seconds, lines))

    def add_metrics(self, line: Mapping[str, Any]) -> None:
        """Append the numbers of an epoch."""
        append_text(self.metrics, json.dumps(line, allow_nan=False) + "\n")


def _read(path: Path, needed: Mapping[str, type]) -> dict[str, Any]:
    """Read a file of JSON that holds some keys with values of some types."""
    try:
        found = read_json(path)
        if not isinstance(found, dict):
            raise ValueError(f"expected an object, got {type(found).__name__}")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    for key, kind in needed.items():
        if not isinstance(found.get(key), kind):
            raise _unreadable(path, f"'{key}' is {found.get(key)!r}")
    return found


def _unreadable(path: Path, why: object) -> ResumeError:
    return ResumeError(
        f"'{path}' is not what a training wrote ({why}). Remove the folder, or choose another "
        "--work_dir."
    )


def _seconds(line: str) -> float:
    """Return what an epoch took; 0 where a line does not say it."""
    try:
        return float(parse_json(line)["seconds"])
    except (ValueError, TypeError, LookupError):
        return 0.0
