"""The page as a whole: heading, samples, metrics, what was left out, manifest."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from input_iba.drawing.page_style import RAMP_KEY, TABLES, page_head
from input_iba.drawing.tables import Grid, as_table, html_text
from input_iba.drawing.words import TEXT_STYLE
from input_iba.report.controls import sort_keys, toolbar
from input_iba.report.gallery import gallery
from input_iba.report.heat_filter import heat_filter
from input_iba.report.markup import bullets, facts_list, plural, unfolding
from input_iba.report.metrics import metrics_section
from input_iba.report.model import MOST_SAMPLES, Report, Source
from input_iba.report.nested import flattened


def report_page(report: Report) -> str:
    """Return one page that needs no server and no network; pictures have relative paths."""
    title, kind = html_text(report.title), "word" if report.text else "pixel"
    script = _asset("report.js")
    head = page_head(
        f"{title}: which {kind}s decided",
        TABLES + TEXT_STYLE + _asset("report.css"),
        _policy(script),
    )
    several = len(report.sources) > 1
    # Of several runs a table says how many samples are done; who is not done says so in red, too.
    stated = [source for source in report.sources if not (several and source.complete)]
    states = "".join(_state(source, several) for source in stated)
    facts = "".join(facts_list(source.facts) for source in report.sources[:1])
    facts = as_table(_runs(report)) if several else facts
    return f"""{head}
<a class="skip" href="#samples">Skip to the samples</a>
<header>
<p class="kicker">input_iba</p>
<h1>{title}</h1>
<p class="lead">{_lead(report)}</p>
{facts}{states}
{_navigation(report)}
</header>
<main>
{_samples(report)}
{metrics_section(report.evaluations)}
{_left_out(report)}
{_manifests(report)}
</main>
<footer><p>{_legend(report, kind)}</p>{"" if report.text else RAMP_KEY}</footer>
{heat_filter()}
<script>{script}</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return files("input_iba.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(script: str) -> str:
    """Allow this script alone, and pictures from the same place: nothing is ever loaded or sent."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )


def _lead(report: Report) -> str:
    kind = "word" if report.text else "pixel"
    methods = [source.method for source in report.sources if source.method]
    if len(report.sources) == 1 and methods:
        return f"Which {kind}s made the classifier decide, by {html_text(methods[0])}."
    if len(report.sources) > 1:
        return f"Which {kind}s made the classifier decide, by {len(report.sources)} runs."
    return f"Which {kind}s made the classifier decide."


def _state(source: Source, named: bool) -> str:
    done = sum(not row.failure for row in source.rows)
    failed = len(source.rows) - done
    name = f"{html_text(source.name)}: " if named else ""
    parts = [f"{done:,} of {plural(source.samples, 'sample')} explained"]
    if source.complete:
        return f'<p class="state good">{name}{parts[0]}</p>'
    parts += [f"{failed} failed"] if failed else []
    missing = source.samples - done - failed
    parts += [f"{missing} not done yet: continue with --resume"] if missing > 0 else []
    return f'<p class="state partial"><strong>Partial.</strong> {name}{"; ".join(parts)}</p>'


def _explained(source: Source) -> str:
    return f"{sum(not row.failure for row in source.rows):,} of {source.samples:,}"


def _runs(report: Report) -> Grid:
    """Return what tells the runs apart as a table."""
    labels = list(dict.fromkeys(label for source in report.sources for label in source.facts))
    rows = [
        [source.name, _explained(source), *(source.facts.get(label, "–") for label in labels)]
        for source in report.sources
    ]
    return Grid("Runs", ["run", "Explained", *labels], rows)


def _navigation(report: Report) -> str:
    places = {
        "samples": "Samples",
        **({"metrics": "Metrics"} if report.evaluations else {}),
        **({"left-out": "Failed"} if _failed(report) else {}),
        **({"manifest": "Manifest"} if report.sources else {}),
    }
    links = "".join(f'<li><a href="#{id_}">{name}</a></li>' for id_, name in places.items())
    return f'<nav aria-label="Sections"><ul>{links}</ul></nav>'


def _samples(report: Report) -> str:
    keys = sort_keys(report)
    total = len(report.samples())
    if not total:
        return '<section id="samples"><h2>Samples</h2><p>No sample is explained.</p></section>'
    return f"""<section id="samples"><h2>Samples</h2>
<noscript><p>Without JavaScript, samples cannot be searched and sorted, and words are not coloured.
</p></noscript>
{toolbar(report, keys)}
{_cut(total)}
<div id="feed" role="feed" aria-label="Samples">
{gallery(report, keys)}
</div></section>"""


def _cut(total: int) -> str:
    if total <= MOST_SAMPLES:
        return ""
    return (
        f"<p>The first {MOST_SAMPLES:,} of {total:,} samples; all are in "
        "<code>records.jsonl</code>.</p>"
    )


def _failed(report: Report) -> list[tuple[Source, str, str]]:
    return [
        (source, row.id, row.failure)
        for source in report.sources
        for row in source.rows
        if row.failure
    ]


def _left_out(report: Report) -> str:
    failed = _failed(report)
    if not failed:
        return ""
    several = len(report.sources) > 1
    items = bullets(
        f"<code>{html_text(id_)}</code> {f'({html_text(source.name)}) ' if several else ''}"
        f"{html_text(why)}"
        for source, id_, why in failed[:MOST_SAMPLES]
    )
    heading = f"{plural(len(failed), 'sample')} failed"
    return f'<section id="left-out" class="failures"><h2>{heading}</h2>{items}</section>'


def _manifests(report: Report) -> str:
    if not report.sources:
        return ""
    parts = "".join(
        unfolding(f"How {source.name} was made", facts_list(flattened(source.manifest), "pairs"))
        for source in report.sources
    )
    return f'<section id="manifest"><h2>Manifest</h2>{parts}</section>'


def _legend(report: Report, kind: str) -> str:
    parts = []
    if any(not source.method for source in report.sources):
        parts.append(
            "<strong>Feature mask:</strong> information that passes the bottleneck at the layer, "
            f"in bits per {kind}. <strong>Prior:</strong> where information is expected "
            "before the input itself is asked, from 0 to 1. <strong>Input mask:</strong> the share "
            f"of each {kind} that the classifier must see, from 0 to 1."
        )
    if any(source.method for source in report.sources):
        parts.append(
            "<strong>Maps of other methods:</strong> their values, divided by the largest; of "
            "signed methods what speaks against the class is dark, and the overlay leaves it out."
        )
    stretched = "Every picture is stretched to the range of its own mask"
    if report.text:
        stretched = "Colours begin at the median of each text's mask and are full at its maximum"
    parts.append(
        f"{stretched}, and the threshold is a share of "
        "that range; the <code>npz</code> files hold the values. With a sample in focus, the left "
        "and right arrow keys go from one to the next."
    )
    return " ".join(parts)
