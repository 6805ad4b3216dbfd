"""Write docs/reliability.md from what `make test-faults` tried."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from input_iba.core.processor import processor
from input_iba.results.manifest import installed_versions

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"

HEAD = """# Reliability

What was done to runs, and to the files that they read, and what came of it. `make test-faults`
writes this page from the tests in `tests/reliability`, of which `make test` runs a short form.

Measured on {day}: {processor}; {versions}.
"""

COLUMNS = "| tried | times | came of it | found by it, and mended |\n|---|---:|---|---|\n"


def written(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return the page: a table per section, in the order of the alphabet."""
    sections: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        sections.setdefault(line["section"], []).append(line)
    versions = ", ".join(f"{name} {value}" for name, value in installed_versions().items())
    head = HEAD.format(day=date.today().isoformat(), processor=processor(), versions=versions)
    return head + "".join(_section(name, found) for name, found in sorted(sections.items()))


def _section(name: str, found: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        f"| {line['tried']} | {line['count']} | {line['outcome']} | {line['mended'] or '–'} |\n"
        for line in sorted(found, key=lambda line: str(line["tried"]))
    ]
    return f"\n## {name}\n\n{COLUMNS}{''.join(rows)}"


if __name__ == "__main__":
    evidence = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    PAGE.write_text(written(map(json.loads, evidence)), encoding="utf-8")
