"""The page as a whole: samples, metrics, what was left out, manifest; laid out by templates."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from mimetypes import guess_type
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup

from input_iba.drawing import Grid, Shown
from input_iba.drawing.heat_map import heat_tables
from input_iba.drawing.pages import POLICY, environment
from input_iba.drawing.tables import UNKNOWN
from input_iba.drawing.words import as_it_stands
from input_iba.errors import InputIBAError
from input_iba.report.charts import loss_charts
from input_iba.report.metrics import metrics_shown, plural
from input_iba.report.model import MAX_SAMPLES, Brief, Report, Row, Source
from input_iba.report.rows import WORD_MASKS
from input_iba.run.shell import LOGGER

OPACITY = 75
"""Percent at which the hottest pixel covers the image, at the beginning."""

Samples = Sequence[Sequence[tuple[Source, Row]]]
"""What each work directory has about some samples."""

MAX_LEFT_OUT = 1000
"""Samples left out by a metric that the page lists; the result's file names all."""


def report_page(report: Report, listing: Listing | None = None) -> str:
    """Return the page of a report, which needs no server and no network.

    It shows all samples, or of more than `MAX_SAMPLES` a `listing` in which they are searched.
    """
    samples = report.samples()
    found = [] if listing else next(report.parts(list(samples), len(samples) or 1), [])
    return _rendered(
        "report.html.j2",
        "report.js" if listing is None else "listing.js",
        report,
        found,
        sources=report.sources,
        several=len(report.sources) > 1,
        foreign=sum(bool(source.method) for source in report.sources),
        kind=" or ".join(report.units),
        runs=_runs(report.sources),
        listing=listing,
        total=len(samples),
        classes=_counted(brief.class_name for [(_, brief), *_] in samples.values()),
        metrics=metrics_shown(report.evaluations),
        failed=[(s, brief) for s in report.sources for brief in s.briefs if brief.failure],
        max_samples=MAX_SAMPLES,
        max_left_out=MAX_LEFT_OUT,
    )


@dataclass(frozen=True)
class Listing:
    """What a page in which many samples are searched needs to know of them.

    Attributes:
        data: Ids, classes and numbers of all samples, as JSON that may stand in a page.
        count: How many samples are listed.
        parts: Title and address of each page of cards.
        probability: Whether the first number of samples is the probability.
    """

    data: Markup
    count: int
    parts: Sequence[tuple[str, str]]
    probability: bool


def part_page(report: Report, found: Samples, first: int, links: Mapping[str, str]) -> str:
    """Return one of several pages of samples: those from the `first` on, by their number.

    `links` are from titles to the addresses of other pages.
    """
    classes = _counted(rows[0][1].class_name for rows in found)
    several = len(report.sources) > 1
    facts = {"first": first + 1, "last": first + len(found), "links": links, "several": several}
    return _rendered(
        "part.html.j2", "report.js", report, found, classes=classes, listing=None, **facts
    )


def _rendered(template: str, code: str, report: Report, found: Samples, **values: Any) -> str:
    """Return a page about samples, all of them or a part."""
    pages, keys = _templates(), sort_keys(report)
    script = Markup(pages.get_template(code).render())  # our own, as it is  # nosec B704
    kinds = {kind for s in report.sources for brief in s.briefs for kind in brief.word_masks}
    return pages.get_template(template).render(
        report=report,
        samples=found,
        keys=[(s, list(k)) for s, k in groupby(enumerate(keys), lambda pair: pair[1].source)],
        sort_values=lambda rows: " ".join(key.value(rows) for key in keys),
        word_masks={kind: name for kind, name in WORD_MASKS.items() if kind in kinds},
        opacity=OPACITY,
        channels=heat_tables(),
        script=script,
        policy=_policy(script),
        **values,
    )


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(names).items())


@cache
def _templates() -> Environment:
    """Return the report's templates with what they make texts of."""
    pages = environment("input_iba.report")
    pages.filters |= {"link": link_to, "plural": plural, "flattened": flattened}
    pages.filters["address"] = address
    pages.filters |= {"loss_charts": loss_charts, "numbers": _numbers, "places": _places}
    return pages


def _policy(script: str) -> str:
    """Allow this script alone, and images from the same place: nothing is ever loaded or sent."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{POLICY}; script-src 'sha256-{digest}'"


def _runs(sources: Sequence[Source]) -> Grid:
    """Return what tells runs apart as a table."""
    labels = list(dict.fromkeys(label for source in sources for label in source.facts))
    rows = []
    for source in sources:
        facts = [source.facts.get(label, UNKNOWN) for label in labels]
        rows.append([source.name, f"{source.done:,} of {source.samples:,}", *facts])
    return Grid("Runs", ["run", "Explained", *labels], rows)


@dataclass(frozen=True)
class SortKey:
    """A number by which samples can be sorted, the largest first where it is `descending`.

    `label` is 'probability', 'bits', 'seconds', or the name of a score; `source` names the work
    directory that it is from, and is empty where there is only one.
    """

    label: str
    source: str
    descending: bool

    def value(self, found: Sequence[tuple[Source, Row | Brief]]) -> str:
        """Return the number of a sample as the script reads it; a dash where it has none."""
        rows = (row for source, row in found if self.source in ("", source.name))
        values = row.numbers if (row := next(rows, None)) else {}
        return f"{values[self.label]:.6g}" if self.label in values else "-"


def sort_keys(report: Report) -> list[SortKey]:
    """Return what samples can be sorted by, beside their order in the run, name and class."""
    several = len(report.sources) > 1
    lower_is_better = {
        f"{found.metric} {key}"
        for found in report.evaluations
        for key, higher in found.higher_is_better.items()
        if higher is False
    }
    return [
        SortKey(label, source.name if several else "", label not in lower_is_better)
        for source in report.sources
        for label in dict.fromkeys(label for brief in source.briefs for label in brief.numbers)
    ]


def _numbers(row: Row) -> dict[str, str]:
    """Return what is known of a sample in numbers, from label to value."""
    numbers = {name: f"{value:.4g}" for name, value in row.scores.items()}
    if row.feature_peak is not None:
        unit = "word" if row.text.words else "pixel"
        numbers["feature mask, largest value"] = f"{row.feature_peak:.3g} bits per {unit}"
    stages = {stage.replace("_", " "): value for stage, value in row.seconds.items()}
    return numbers | {f"seconds, {stage}": f"{value:.3g}" for stage, value in stages.items()}


def _places(text: Shown) -> str:
    """Return the lengths of a text's parts as JavaScript counts them."""
    parts = (as_it_stands(part) for part in text.parts)
    return " ".join(str(len(part.encode("utf-16-le")) // 2) for part in parts)


def address(row: Row, kind: str) -> str:
    """Return where a page finds a file of a row; of one in a shard, an address that holds it."""
    if kind not in row.packed:
        return link_to(row.files[kind])
    try:
        with row.packed[kind].open("rb") as stream:
            content = base64.b64encode(stream.read()).decode()
    except InputIBAError as error:
        LOGGER.warning("An image is left out of the page: %s", error)
        return ""
    return f"data:{guess_type(row.files[kind].lower())[0]};base64,{content}"


def link_to(path: str) -> str:
    """Return a relative path as a URL: names may hold `%`, `#` and `?`.

    >>> link_to("a b/50%#.png")
    './a%20b/50%25%23.png'
    """
    return path if path.startswith("file:") else "./" + quote(path, errors="surrogatepass")


def flattened(values: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested mappings as one, with dotted keys and texts as values.

    >>> flattened({"a": {"b": 1}, "c": "x", "d": [True, None]})
    {'a.b': '1', 'c': 'x', 'd': '[true, null]'}
    """
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= flattened(value, f"{before}{key}.")
        else:
            found[before + key] = value if isinstance(value, str) else json.dumps(value)
    return found
