"""The HTML page of a run: photograph, overlay, feature mask and input mask side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import numpy as np

from input_iba.drawing.words import TEXT_STYLE, highlighted
from input_iba.visualization.page_style import RAMP_KEY, page_head
from input_iba.visualization.rows import Row, percent, printable

_KINDS = {False: "pixel", True: "word"}

MOST_ROWS = 2000
"""A browser should open the page of any run; all samples are in `records.jsonl`."""


@dataclass(frozen=True)
class RunSummary:
    """What the page says about the run as a whole.

    Attributes:
        title: Heading, e.g. the config's name.
        facts: Short facts, from label to value: layer, device, seed, …
        samples: Number of samples selected.
        complete: Whether all of them are done.
        method: Name of the method where the maps are not those of the three stages.
    """

    title: str
    facts: dict[str, str]
    samples: int
    complete: bool
    method: str = ""


def overview_page(summary: RunSummary, rows: Sequence[Row]) -> str:
    """Return one static page without scripts; pictures are linked by relative paths.

    Args:
        summary: What is said about the run.
        rows: The samples, in the order of the page.
    """
    failed = [row for row in rows if row.failure]
    done = [row for row in rows if not row.failure]
    title = escape(printable(summary.title))
    text = any(row.words for row in rows)
    kind, shown = _KINDS[text], "text" if text else "picture"
    facts = "".join(
        f"<div><dt>{_text(label)}</dt><dd>{_text(value)}</dd></div>"
        for label, value in summary.facts.items()
    )
    cards = "\n".join(_card(row) for row in done[:MOST_ROWS])
    return f"""{page_head(title + f": which {kind}s decided", TEXT_STYLE if text else "")}
<header>
<p class="kicker">input_iba</p>
<h1>{title}</h1>
<p class="lead">{_lead(summary, text)}</p>
<dl class="facts">{facts}</dl>
{_state(summary, len(done), len(failed))}
</header>
<main>
{_failures(failed)}
{cards}
{_cut(len(done))}
</main>
<footer>
<p>{_legend(summary, kind)} Every {shown} is stretched to the range of its own mask; the
<code>npz</code> files hold the values.</p>
{"" if text else RAMP_KEY}
</footer>
</body>
</html>
"""


def _lead(summary: RunSummary, text: bool) -> str:
    if summary.method:
        return f"Which {_KINDS[text]}s made the classifier decide, by {_text(summary.method)}."
    how = "The stronger a word's colour, the more it was used; rest the pointer on it for a value."
    how = how if text else "In both masks bright means used."
    return f"Which {_KINDS[text]}s made the classifier decide. {how}"


def _legend(summary: RunSummary, kind: str) -> str:
    if summary.method:
        return (
            "<strong>Map:</strong> the method's values, divided by the largest; of signed methods "
            "what speaks against the class is dark."
        )
    return (
        "<strong>Feature mask:</strong> information that passes the bottleneck at the layer, in "
        f"bits per {kind}. <strong>Input mask:</strong> the share of each {kind} that the "
        "classifier must see, from 0 to 1."
    )


def _text(value: str) -> str:
    return escape(printable(value))


def _link(path: str) -> str:
    """Return a relative path as a URL: names may hold `%`, `#` and `?`."""
    return escape("./" + quote(path, errors="surrogatepass"))


def _state(summary: RunSummary, done: int, failed: int) -> str:
    if summary.complete:
        return f'<p class="state good">{done} of {summary.samples} samples explained</p>'
    open_ = summary.samples - done - failed
    parts = [f"{done} of {summary.samples} samples explained"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{open_} not done yet: continue with --resume"] if open_ else []
    return f'<p class="state partial"><strong>Partial.</strong> {"; ".join(parts)}</p>'


def _failures(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    items = "".join(
        f"<li><code>{_text(row.id)}</code> {_text(row.failure)}</li>" for row in rows[:MOST_ROWS]
    )
    count = f"{len(rows)} sample{'s' if len(rows) > 1 else ''} failed"
    return f'<section class="failures"><h2>{count}</h2><ul>{items}</ul></section>'


def _cut(done: int) -> str:
    if done <= MOST_ROWS:
        return ""
    return f"<p>The first {MOST_ROWS} of {done} samples; all are in <code>records.jsonl</code>.</p>"


def _card(row: Row) -> str:
    name = row.class_name or "the given loss"
    if row.words:
        return _text_card(row, name)
    peak = "" if row.feature_peak is None else f" · max {row.feature_peak:.2g} bits/px"
    figures = "".join(
        [
            _figure(row, "photograph", "photograph", f"Photograph {row.id}", "Photograph"),
            _figure(
                row, "overlay", "overlay", f"Input mask of {name} on {row.id}", "Overlay, smoothed"
            ),
            _figure(
                row,
                "feature_mask_picture",
                "feature_mask_png",
                f"Feature mask of {name} for {row.id}",
                f"Feature mask{peak}",
            ),
            _figure(
                row,
                "input_mask_picture",
                "input_mask_png",
                f"Input mask of {name} for {row.id}",
                "Input mask",
            ),
        ]
    )
    return _article(row, name, f'<div class="pictures">{figures}</div>')


def _text_card(row: Row, name: str) -> str:
    tokens, values = zip(*row.words, strict=True)
    link = _link(row.files["highlights"]) if "highlights" in row.files else ""
    more = f'<p class="id"><a href="{link}">both masks</a></p>' if link else ""
    return _article(row, name, highlighted(tokens, np.array(values)) + more)


def _article(row: Row, name: str, content: str) -> str:
    return f"""<article>
<header class="card">
<div><h2>{_text(name)}</h2><p class="id">{_text(row.id)}</p></div>
{_numbers(row)}
</header>
{content}
</article>"""


def _numbers(row: Row) -> str:
    stages = ", ".join(f"{stage} {value:.1f} s" for stage, value in row.seconds.items())
    share = 0.0 if row.probability is None else 100 * row.probability
    other = ""
    if row.predicted_class_name and row.predicted_class_name != row.class_name:
        other = (
            f'<p class="other">classifier prefers {_text(row.predicted_class_name)}, '
            f"{percent(row.predicted_probability)}</p>"
        )
    return f"""<div class="numbers">
<p><b>{escape(percent(row.probability))}</b> <span class="bar" aria-hidden="true"><i
style="width:{share:.1f}%"></i></span></p>
<p title="{_text(stages)}">{row.total_seconds:.1f} s</p>{other}</div>"""


def _figure(row: Row, kind: str, large: str, alt: str, caption: str) -> str:
    if kind not in row.files:
        return ""
    source, target = _link(row.files[kind]), _link(row.files.get(large, row.files[kind]))
    return (
        f'<figure><a href="{target}"><img src="{source}" alt="{_text(alt)}" loading="lazy">'
        f"</a><figcaption>{_text(caption)}</figcaption></figure>"
    )
