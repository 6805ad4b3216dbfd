"""Reports of more samples than one page takes: a page to search in, and pages of cards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image, ImageOps

from input_iba.report.model import MAX_SAMPLES, Report, Row
from input_iba.report.page import Listing, Samples, link_to, part_page, report_page, sort_keys
from input_iba.results import write_image, write_text

PER_PART = 200
"""Samples of a page of cards."""

MAX_LISTED = 100_000
"""Samples that a page lists; records name all."""

SIDE, ACROSS = 72, 20
"""Pixels of a thumbnail's side, and thumbnails in a row of a sheet."""


def write_pages(report: Report, page: Path) -> None:
    """Write the page of a report, and where there are many samples the pages of their cards.

    These lie in a folder beside it, `report_pages`, with sheets of thumbnails.
    """
    ids = list(report.samples())[:MAX_LISTED]
    folder = page.with_name(f"{page.stem}_pages")
    names = [f"{number:04d}" for number in range(-(-len(ids) // PER_PART))]
    if len(ids) <= MAX_SAMPLES:
        names = []
    sheets = list[int]()
    for number, found in enumerate(report.parts(ids, PER_PART) if names else ()):
        beside = [[(source, _one_folder_up(row)) for source, row in rows] for rows in found]
        links = {"All samples": link_to(f"../{page.name}")}
        links |= {"Previous": link_to(f"{names[number - 1]}.html")} if number else {}
        links |= {"Next": link_to(f"{names[number + 1]}.html")} if number + 1 < len(names) else {}
        text = part_page(report, beside, number * PER_PART, links)
        write_text(folder / f"{names[number]}.html", text)
        sheet = _sheet(found, page.parent)
        sheets.append(int(sheet is not None))
        if sheet is not None:
            write_image(folder / f"{names[number]}.jpg", sheet)
    for path in folder.glob("[0-9]*"):  # of a report that had more
        if path.stem not in names:
            path.unlink()
    write_text(page, report_page(report, _listing(report, ids, folder.name, sheets)))


def _one_folder_up(row: Row) -> Row:
    files = {k: p if p.startswith("file:") else f"../{p}" for k, p in row.files.items()}
    return replace(row, files=files)


def _listing(report: Report, ids: Sequence[str], folder: str, sheets: list[int]) -> Listing | None:
    if not sheets:
        return None
    samples, keys = report.samples(), sort_keys(report)
    numbers = [[_number(key.value(samples[id_])) for id_ in ids] for key in keys]
    classes = [samples[id_][0][1].class_name for id_ in ids]
    names = sorted(set(classes))
    place = {name: number for number, name in enumerate(names)}
    data: dict[str, Any] = {
        "ids": list(ids),
        "names": names,
        "classes": [place[name] for name in classes],
        "numbers": numbers,
        "sheets": sheets,
        "folder": link_to(folder),
        "perPart": PER_PART,
        "side": SIDE,
        "across": ACROSS,
    }
    said = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    firsts = range(0, len(ids), PER_PART)
    lasts = (min(first + PER_PART, len(ids)) for first in firsts)
    parts = [
        (f"{first + 1:,} to {last:,}", link_to(f"{folder}/{number:04d}.html"))
        for number, (first, last) in enumerate(zip(firsts, lasts, strict=True))
    ]
    probability = bool(keys) and keys[0].label == "probability"
    return Listing(Markup(said), len(ids), parts, probability)  # no tag is in it  # nosec B704


def _number(text: str) -> float | None:
    return None if text == "-" else float(text)


def _sheet(found: Samples, home: Path) -> NDArray[np.uint8] | None:
    """Draw the overlays of samples small, in rows; None where there are none.

    `home` is the folder that paths start from.
    """
    shown = [next((row for _, row in rows if "overlay" in row.files), None) for rows in found]
    if not any(shown):
        return None
    sheet = Image.new("RGB", (SIDE * ACROSS, SIDE * -(-len(found) // ACROSS)), "white")
    for number, row in enumerate(shown):
        if row is None:
            continue
        down, across = divmod(number, ACROSS)
        source = row.packed.get("overlay", home / row.files["overlay"])
        try:
            with source.open("rb") as stream, Image.open(stream) as image:
                image.draft("RGB", (SIDE, SIDE))
                small = image.convert("RGB")
        # Whatever Pillow or a store meets: the card is there all the same.
        except Exception:  # nosec B112
            continue
        small = ImageOps.contain(small, (SIDE, SIDE))
        left, top = (SIDE - small.width) // 2, (SIDE - small.height) // 2
        sheet.paste(small, (across * SIDE + left, down * SIDE + top))
    return np.asarray(sheet)
