"""`manifest.json`: what made the masks of a work directory, and whether all are there."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from input_iba.core.files import read_json
from input_iba.errors import ResumeError
from input_iba.results.checked import checked
from input_iba.results.resume import differences
from input_iba.results.writing import write_json

FORMAT = 1

OWN_METHOD = "input_iba"
"""Name of the three stages among methods of attribution."""


@dataclass(frozen=True)
class Identity:
    """What must stay the same for a run to be continued: every part of it changes masks."""

    config: str
    classifier: str
    data: str
    estimation_data: str
    samples: str
    seed: int
    precision: str
    out_style: str

    def plain(self) -> dict[str, Any]:
        """Return the values by what they mean to a user, to be compared."""
        return {_MEANING[name]: value for name, value in asdict(self).items()}


_MEANING = {
    "config": "config (hash)",
    "classifier": "weights of the classifier (hash)",
    "data": "files of data.attribution (fingerprint)",
    "estimation_data": "files of data.estimation (fingerprint)",
    "samples": "selected samples (hash; --subset-file, --num-samples)",
    "seed": "--seed",
    "precision": "--precision",
    "out_style": "--out-style",
}


def installed_versions() -> dict[str, str]:
    """Return the versions of what decides results."""
    found = {"python": platform.python_version()}
    for package in ("input_iba", "torch", "torchvision", "numpy", "timm"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True)
class Manifest:
    """What made the masks of a work directory.

    Attributes:
        layer: Layer that the method looks at; empty for none, or where it chooses itself.
        device: Device of the latest run, e.g. 'cpu'.
        processor: Its kind of processor; empty where an earlier release did not say.
        options: Command-line options as given.
        samples: Number of samples selected.
        samples_per_batch: How many of them were to be explained at once; None where an earlier
            release did not say.
        started: Time of the first start, ISO 8601 with zone; `resumed` has those of later ones.
        finished: Time of the latest end, or None while a run is on or after it was killed.
        done: Samples whose files are all there; of `failed` ones there are none.
    """

    identity: Identity
    config_file: str
    layer: str
    device: str
    options: Mapping[str, Any]
    samples: int
    method: str = OWN_METHOD
    samples_per_batch: int | None = None
    processor: str = ""
    started: str = ""
    resumed: list[str] = field(default_factory=list)
    finished: str | None = None
    done: int = 0
    failed: int = 0
    complete: bool = False
    versions: Mapping[str, str] = field(default_factory=installed_versions)

    def unlike(self, other: Manifest) -> list[str]:
        """Return in what machine and packages differ from those of another run, a line each."""
        then, now = self._machine(), other._machine()
        return differences(
            {k: v for k, v in then.items() if v}, {k: now[k] for k in then if then[k]}
        )

    def _machine(self) -> dict[str, Any]:
        return {"processor": self.processor, "versions": self.versions}

    def write(self, path: Path) -> None:
        """Write the manifest as JSON, whole or not at all."""
        write_json(path, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read a manifest, or raise a `ResumeError` where the file is not one of this format."""
        try:
            values = read_json(path)
            if values.get("format") != FORMAT:
                raise ValueError(f"format {values.get('format')!r}, expected {FORMAT}")
            identity = checked(Identity, values["identity"])
            found = checked(cls, values | {"identity": identity})
            if found.finished is not None:
                datetime.fromisoformat(found.finished)
            return found
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ResumeError(
                f"'{path}' cannot be read as the manifest of a work directory ({error}). "
                "Choose another --work-dir."
            ) from error


def now_text() -> str:
    """Return the present time, ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
