"""The work directory of a VIBI run: which files, and whether the run may continue there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from input_iba.results import installed_versions, may_continue, write_json, write_text
from input_iba.results.manifest import now_text
from input_iba.results.writing import append_text
from input_iba.vibi.fidelity import Fidelity


@dataclass(frozen=True)
class VibiResult:
    """What came out.

    Attributes:
        work_dir: Where everything is.
        validation: Fidelities of the best epoch on what is held out.
        test: Its fidelities on the test set.
        black_box_accuracy: Of the black box, on the test set.
        seconds: From start to end, over all starts.
    """

    work_dir: Path
    validation: Fidelity
    test: Fidelity
    black_box_accuracy: float
    seconds: float


class VibiFolder:
    """Files of a run."""

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
            manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
            then = manifest["identity"]
        what = f"The training in '{self.root}'"
        if may_continue(what, then, identity, resume, option="--resume_training"):
            manifest["resumed"].append(now_text())
        now = {"identity": identity, "device": device, "versions": installed_versions()}
        write_json(self.manifest, {"complete": False, **manifest, **now})
        write_text(self.config, config)

    def end(self, result: VibiResult) -> None:
        """Write the results and say in the manifest that the run is complete."""
        found = asdict(result)
        write_json(self.results, {k: v for k, v in found.items() if k != "work_dir"})
        manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
        write_json(self.manifest, {**manifest, "complete": True, "finished": now_text()})

    def result(self) -> VibiResult | None:
        """Return the results of a complete run, or None."""
        if not self.results.exists():
            return None
        found = json.loads(self.results.read_text(encoding="utf-8"))
        for name in ("validation", "test"):
            found[name] = Fidelity(**found[name])
        return VibiResult(self.root, **found)

    def keep_metrics(self, epochs: int) -> float:
        """Drop the lines of later epochs, which a stopped run wrote; return the others' seconds."""
        lines = []
        if self.metrics.exists():
            lines = self.metrics.read_text(encoding="utf-8").splitlines()[:epochs]
        write_text(self.metrics, "".join(f"{line}\n" for line in lines))
        return sum(float(json.loads(line)["seconds"]) for line in lines)

    def add_metrics(self, line: Mapping[str, Any]) -> None:
        """Append the numbers of an epoch."""
        append_text(self.metrics, json.dumps(line, allow_nan=False) + "\n")
