"""The samples: photograph, overlay and masks, or the highlighted text, with what is known."""

from __future__ import annotations

from collections.abc import Sequence

from input_iba.drawing.rows import Row, percent
from input_iba.drawing.tables import html_text
from input_iba.report.charts import loss_charts
from input_iba.report.controls import SortKey
from input_iba.report.markup import bullets, facts_list, link_to, unfolding
from input_iba.report.model import Report, Source
from input_iba.report.reviews import review

MASKS = (
    ("feature_mask_picture", "feature_mask_png", "Feature mask"),
    ("prior_mask_picture", "prior_mask_picture", "Prior"),
    ("input_mask_picture", "input_mask_png", "Input mask"),
)
"""Kind of the picture shown, of the one that a click opens, and what it is called."""

MOST_WIDE = 4
"""Runs side by side that get wide columns."""


def gallery(report: Report, keys: Sequence[SortKey]) -> str:
    """Return one article per sample, in the order of the run."""
    several = len(report.sources) > 1
    samples = report.shown()
    return "\n".join(
        _article(place, len(samples), found, keys, several)
        for place, found in enumerate(samples.values())
    )


def _article(
    place: int,
    total: int,
    found: Sequence[tuple[Source, Row]],
    keys: Sequence[SortKey],
    several: bool,
) -> str:
    row = found[0][1]
    name = row.class_name or "the given loss"
    numbers = " ".join(_number(key, found) for key in keys)
    if several:
        photograph = next((_photograph(r, name) for _, r in found if "photograph" in r.files), "")
        if photograph:
            photograph = f'<section class="method"><h4>Photograph</h4>{photograph}</section>'
        methods = "".join(
            f'<section class="method"><h4>{html_text(source.name)}</h4>'
            f"{_content(r, name, '')}{_numbers(r)}{_more(r)}</section>"
            for source, r in found
        )
        style = "texts" if row.text.words else "many" if len(found) > MOST_WIDE else ""
        body = f'<div class="methods {style}">{photograph}{methods}</div>'
    else:
        body = _content(row, name, _photograph(row, name)) + _more(row)
    return f"""<article tabindex="{-1 if place else 0}" aria-labelledby="s{place}"
aria-posinset="{place + 1}" aria-setsize="{total}" data-id="{html_text(row.id)}"
data-class="{html_text(row.class_name)}" data-keys="{numbers}">
<header class="card"><div><h3 id="s{place}">{html_text(name)}</h3>
<p class="id">{html_text(row.id)}</p></div><p class="sorted"></p>
{"" if several else _numbers(row)}</header>
{body}</article>"""


def _number(key: SortKey, found: Sequence[tuple[Source, Row]]) -> str:
    """Return the number that a sample is sorted by; a dash where it has none."""
    values = (key.value(row) for source, row in found if key.source in ("", source.name))
    value = next(values, None)
    return "-" if value is None else f"{value:.6g}"


def _content(row: Row, name: str, photograph: str) -> str:
    if row.text.words:
        return review(row, name)
    masks = "".join(_mask(row, name, *mask) for mask in MASKS)
    return f'<div class="pictures">{photograph}{_overlay(row, name)}{masks}</div>'


def _photograph(row: Row, name: str) -> str:
    if "photograph" not in row.files:
        return ""
    alt = f"Photograph {row.id}, {name}"
    return _figure(link_to(row.files["photograph"]), _picture(row, "photograph", alt), "Photograph")


def _overlay(row: Row, name: str) -> str:
    """Return the heat over the photograph; the finished picture where one of them is missing."""
    alt = f"Input mask of {name} over {row.id}"
    if not {"photograph", "heat"} <= row.files.keys():
        if "overlay" not in row.files:
            return ""
        return _figure(link_to(row.files["overlay"]), _picture(row, "overlay", alt), "Overlay")
    heat = f'<img class="heat" src="{link_to(row.files["heat"])}" alt="" loading="lazy">'
    layers = _picture(row, "photograph", alt, "base") + heat
    target = link_to(row.files.get("overlay", row.files["photograph"]))
    return _figure(target, layers, "Overlay", "stack")


def _mask(row: Row, name: str, kind: str, large: str, title: str) -> str:
    if kind not in row.files:
        return ""
    target = link_to(row.files.get(large, row.files[kind]))
    return _figure(target, _picture(row, kind, f"{title} of {name} for {row.id}"), title)


def _picture(row: Row, kind: str, alt: str, style: str = "") -> str:
    mark = f' class="{style}"' if style else ""
    return f'<img{mark} src="{link_to(row.files[kind])}" alt="{html_text(alt)}" loading="lazy">'


def _figure(target: str, pictures: str, caption: str, style: str = "") -> str:
    mark = f' class="{style}"' if style else ""
    return (
        f'<figure><a href="{target}"{mark}>{pictures}</a>'
        f"<figcaption>{html_text(caption)}</figcaption></figure>"
    )


def _numbers(row: Row) -> str:
    share = 0.0 if row.probability is None else 100 * row.probability
    other = ""
    if row.predicted_class_name and row.predicted_class_name != row.class_name:
        other = (
            f'<p class="other">classifier prefers {html_text(row.predicted_class_name)}, '
            f"{html_text(percent(row.predicted_probability))}</p>"
        )
    return (
        f'<div class="numbers"><p><b>{html_text(percent(row.probability))}</b> <span class="bar" '
        f'aria-hidden="true"><i style="width:{share:.1f}%"></i></span></p>'
        f"<p>{row.total_seconds:.1f} s</p>{other}</div>"
    )


def _more(row: Row) -> str:
    """Return what is folded away: classes, loss curves, numbers, seconds of each stage, files."""
    numbers = {name: f"{value:.4g}" for name, value in row.scores.items()}
    if row.feature_peak is not None:
        unit = "word" if row.text.words else "pixel"
        numbers["feature mask, largest value"] = f"{row.feature_peak:.3g} bits per {unit}"
    for stage, value in row.seconds.items():
        numbers[f"seconds, {stage.replace('_', ' ')}"] = f"{value:.3g}"
    files = bullets(
        f'<a href="{link_to(path)}">{html_text(kind.replace("_", " "))}</a>'
        for kind, path in row.files.items()
        if path.endswith((".npz", ".html"))
    )
    content = (
        f"{_classes(row)}"
        f'<div class="charts">{loss_charts(row.losses)}</div>'
        f"{facts_list(numbers, 'pairs')}"
        f'<div class="files"><p>Values:</p>{files}</div>'
    )
    parts = ["classes"] * bool(row.classes) + ["loss curves"] * bool(row.losses)
    return unfolding(", ".join([*parts, "numbers", "files"]).capitalize(), content)


def _classes(row: Row) -> str:
    """Return the most probable classes as a list, in which each has a bar of its length."""
    if not row.classes:
        return ""
    # The bar is drawn by the style sheet: an element more for each would be thousands in a page.
    items = "".join(
        f'<li style="--share:{100 * share:.3g}">{html_text(name)} '
        f"{'<em>explained</em> ' if name == row.class_name else ''}"
        f"<b>{html_text(percent(share))}</b></li>"
        for name, share in row.classes
    )
    return f'<p>Most probable classes:</p><ol class="classes" role="list">{items}</ol>'
