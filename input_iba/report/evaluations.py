"""One result of an evaluation, as the report reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from input_iba.drawing import Chart
from input_iba.errors import InputIBAError
from input_iba.evaluation.metrics import METRICS, Metric
from input_iba.run.logs import LOGGER


@dataclass(frozen=True)
class Result:
    """One result file.

    Attributes:
        path: The file.
        content: What is in it.
        name: Name of the method that a comparison gave to the maps; empty in an evaluation.
        folder: Folder of the maps that were scored; None for a metric without maps.
    """

    path: Path
    content: Mapping[str, Any]
    name: str
    folder: str | None

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return str(self.content["metric"])

    @property
    def maps(self) -> Path | None:
        """The folder as a path."""
        return None if self.folder is None else Path(self.folder)

    @property
    def run(self) -> Path | None:
        """The work directory that the maps come from, or None where there is none any more."""
        if self.maps is None:
            return None
        places = (self.maps, *self.maps.parents[:1])
        return next((place for place in places if (place / "manifest.json").is_file()), None)

    def scores(self) -> dict[str, dict[str, float]]:
        """Return the numbers by which samples can be compared: by sample id, then by key."""
        keys = [*self.content["higher_is_better"]]
        return {
            id_: {key: float(row[key]) for key in keys if isinstance(row.get(key), (int, float))}
            for id_, row in self.content["rows"].items()
        }

    def left_out(self) -> dict[str, str]:
        """Return why samples have no row."""
        failed = {id_: f"failed: {why}" for id_, why in self.content["failed"].items()}
        unmapped = dict.fromkeys(self.content["without_map"], "without a map")
        return {**failed, **self.content["skipped"], **unmapped}

    def chart(self) -> Chart | None:
        """Return the curves of the rows; None where there are none, or of an unknown metric."""
        rows, kind = list(self.content["rows"].values()), METRICS.get(self.metric)
        if not rows or kind is None:
            return None
        known = {item.name for item in fields(kind)}
        settings = self.content["made_with"]["settings"]
        try:
            metric: Metric = kind(**{key: settings[key] for key in known & settings.keys()})
            return metric.chart(rows)
        except (InputIBAError, KeyError, TypeError, ValueError, IndexError) as error:
            LOGGER.warning("The curve of '%s' cannot be drawn: %r.", self.path, error)
            return None

    def check(self) -> None:
        """Touch all that the report reads, so that a foreign file fails here."""
        content = self.content
        _ = (self.metric, self.run, self.scores(), self.left_out(), content["complete"])
        _ = (dict(content["samples"]), content["made_with"]["settings"].keys())
        _ = [(values["mean"], values["low"], values["n"]) for values in content["summary"].values()]
