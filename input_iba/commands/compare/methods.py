"""The methods of a comparison, read from their work directories and checked to be comparable."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from input_iba.config.kept import load_kept
from input_iba.errors import EvaluationError, InputIBAError, closest
from input_iba.results import Manifest, RecordLog, SampleRecord, StoredFiles, telling_names

COMPARABLE = {"classifier": "weights of the classifier", "data": "files of data.attribution"}
"""What work directories must have in common: fields of `Identity`, and what they mean."""

CONFIG_SECTIONS = (("attributor", "classifier"), ("data", "attribution"))
"""Where a config says it."""

STAGES = {"feat_masks": ("feature_iba",), "prior_masks": ("feature_iba", "prior")}
"""Stages that maps need which are not the last ones, by their folder."""


@dataclass(frozen=True)
class Method:
    """What made one set of maps: their folder, its work directory, and who was explained there."""

    name: str
    folder: Path
    root: Path
    manifest: Manifest
    records: Mapping[str, SampleRecord]

    @cached_property
    def stored(self) -> StoredFiles:
        """The files that its records name."""
        return StoredFiles(self.root)

    def seconds(self, id_: str) -> float | None:
        """Return the time that a sample's map took, or None where the records do not say."""
        record = self.records.get(id_)
        if record is None or not record.seconds:
            return None
        stages = STAGES.get(self.folder.name, tuple(record.seconds))
        return sum(record.seconds.get(stage, 0.0) for stage in stages)


def read_methods(work_dirs: Sequence[Path], names: Sequence[str] | None = None) -> list[Method]:
    """Read what made the maps of work directories, or of folders of maps in them.

    Raises:
        EvaluationError: A folder is not in a work directory, or names do not fit.
        ResumeError: A manifest cannot be read.
    """
    chosen = telling_names(work_dirs, names)
    return [_read(path, name) for path, name in zip(work_dirs, chosen, strict=True)]


def _read(path: Path, name: str) -> Method:
    root = next((p for p in (path, path.parent) if (p / "manifest.json").is_file()), None)
    if root is None or not (path.is_dir() or StoredFiles(root).below(path.name)):
        raise EvaluationError(
            f"'{path}' is not a work directory and not a folder of maps in one: there is no "
            "manifest.json, so nobody knows which classifier and which samples its maps are of."
        )
    manifest = Manifest.read(root / "manifest.json")
    records = RecordLog(root / "records.jsonl").load()
    done = {id_: record for id_, record in records.items() if record.status == "done"}
    return Method(name, path, root, manifest, done)


def against(methods: Sequence[Method], name: str | None) -> Method:
    """Return the method that the others are compared with; the first, where none is named."""
    names = {method.name: method for method in methods}
    if name is not None and name not in names:
        raise EvaluationError(
            f"--against {name!r} names no method.{closest(name, names)} Methods: "
            f"{', '.join(names)}."
        )
    return methods[0] if name is None else names[name]


def check_comparable(methods: Sequence[Method]) -> None:
    """Refuse maps of different classifiers, samples or targets."""
    first = methods[0]
    for other in methods[1:]:
        lines = [
            f"{meaning} (hash): {old} in '{first.root}', {new} in '{other.root}'"
            for name, meaning in COMPARABLE.items()
            if (old := getattr(first.manifest.identity, name))
            != (new := getattr(other.manifest.identity, name))
        ]
        if lines:
            lines += _config_diff(first, other)
        lines += _targets_diff(first, other)
        if lines:
            raise EvaluationError(
                f"'{first.name}' and '{other.name}' cannot be compared:\n  "
                + "\n  ".join(lines)
                + "\nExplain the same samples of the same classifier for the same classes."
            )


def check_built(method: Method, fingerprints: Mapping[str, str]) -> None:
    """Refuse what was built from a method's config where it is not what was explained."""
    lines = [
        f"{meaning} (hash): {old} when explained, {fingerprints[name]} now"
        for name, meaning in COMPARABLE.items()
        if (old := getattr(method.manifest.identity, name)) != fingerprints[name]
    ]
    if lines:
        raise EvaluationError(
            f"The config of '{method.root}' no longer gives what was explained:\n  "
            + "\n  ".join(lines)
            + "\nPut checkpoint and images back, or explain again."
        )


def _config_diff(first: Method, other: Method) -> list[str]:
    """Return how the two configs differ in classifier and samples, where both can be read."""

    def lines_of(method: Method) -> list[str]:
        raw = load_kept(method.root).raw
        sections = {f"{a}.{b}": raw[a][b] for a, b in CONFIG_SECTIONS}
        return json.dumps(sections, indent=1, sort_keys=True).splitlines()

    try:
        old, new = lines_of(first), lines_of(other)
    except InputIBAError:
        return []
    return list(difflib.unified_diff(old, new, first.name, other.name, n=1, lineterm=""))


def _targets_diff(first: Method, other: Method, most: int = 5) -> list[str]:
    different = [
        f"target of {id_}: {old} in '{first.root}', {new} in '{other.root}'"
        for id_, record in first.records.items()
        if id_ in other.records and (old := record.target) != (new := other.records[id_].target)
    ]
    more = [f"and {len(different) - most} more targets"] if len(different) > most else []
    return different[:most] + more


def targets_of(methods: Sequence[Method]) -> dict[str, int]:
    """Return the class that was explained, by sample id, where records say it."""
    return {
        id_: record.target
        for method in methods
        for id_, record in method.records.items()
        if record.target is not None
    }
