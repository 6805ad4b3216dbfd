"""What tests of runs look at afterwards, and samples that fail on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from input_iba.run.options import RunOptions
from tests.tiny_runs import Refuse

IDS = ["cat__1", "cat__2", "dog__1", "dog__2", "3"]


def work_of(options: RunOptions) -> Path:
    assert options.work_dir is not None
    return options.work_dir


def records(options: RunOptions) -> dict[str, dict[str, Any]]:
    lines = (work_of(options) / "records.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    assert len({record["id"] for record in found}) == len(found)
    return {record["id"]: record for record in found}


def masks(options: RunOptions) -> dict[str, bytes]:
    root = work_of(options)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in ("maps", "input_masks", "feat_masks", "prior_masks", "images", "overlays")
        for path in sorted((root / folder).rglob("*"))
        if path.is_file()
    }


def bad_in(*bad: str, error: Callable[[], BaseException]) -> Refuse:
    def refuse(ids: Sequence[str]) -> BaseException | None:
        return error() if set(ids) & set(bad) else None

    return refuse
