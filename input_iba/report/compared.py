"""Results of `input-iba compare`, one per metric and method, read for the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from input_iba.report.evaluations import Result
from input_iba.results import RowLog, safe_name

FILE = "compare.json"


def compared_results(folder: Path) -> Iterator[Result]:
    """Take a comparison apart.

    Args:
        folder: The `--out` of the comparison.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OSError: It is none.
    """
    path = folder / FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    for metric, of_metric in content["metrics"].items():
        for name, method in content["methods"].items():
            yield Result(
                path, _content(folder, content, metric, of_metric, name), name, method["maps"]
            )


def _content(
    folder: Path, content: Mapping[str, Any], metric: str, of_metric: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return what one method has under one metric, laid out as the result of an evaluation."""
    keys = of_metric["keys"]
    rows, skipped, failed = (
        of_metric[part].get(name, {}) for part in ("rows", "skipped", "failed")
    )
    # The comparison keeps numbers only; the rows as they came have the curves, too.
    _, log = RowLog(folder / "rows" / metric / f"{safe_name(name)}.rows.jsonl").read()
    selected = content["samples"]["selected"]
    return {
        "metric": metric,
        "complete": len(rows) + len(skipped) == selected,
        "samples": {
            "data_set": content["samples"]["data_set"],
            "selected": selected,
            **{"scored": len(rows), "skipped": len(skipped), "failed": len(failed)},
            "not_reached": selected - len(rows) - len(skipped) - len(failed),
            "without_map": len(content["samples"]["without_map"]),
        },
        "higher_is_better": {key: column["higher_is_better"] for key, column in keys.items()},
        "summary": {key: column["methods"][name] for key, column in keys.items()},
        "skipped": skipped,
        "failed": failed,
        "without_map": content["samples"]["without_map"],
        "made_with": {**content["made_with"], "settings": of_metric["settings"]},
        "rows": {id_: {**(log[id_].row if id_ in log else {}), **row} for id_, row in rows.items()},
    }
