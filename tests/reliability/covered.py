"""Hold the shares of lines and branches that tests run against what is asked: `make coverage`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LEAST = {"lines": 92.0, "branches": 85.0}
"""Percent that must be exceeded."""


def shares(totals: Mapping[str, Any]) -> dict[str, float]:
    """Return the percent of lines and of branches that ran, of the totals of a JSON report."""
    return {
        "lines": 100 * totals["covered_lines"] / totals["num_statements"],
        "branches": 100 * totals["covered_branches"] / totals["num_branches"],
    }


def main(report: Path) -> int:
    """Print both shares; return 1 where one is not above its least."""
    found = shares(json.loads(report.read_text(encoding="utf-8"))["totals"])
    for name, share in found.items():
        print(f"{share:.1f} % of {name} run; more than {LEAST[name]:g} % must")
    return int(any(share <= LEAST[name] for name, share in found.items()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
