"""From a visitor's question to what is shown: the map, whether to believe it, another beside it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from input_iba.app.jobs import Answer, Told
from input_iba.app.networks import Network, Networks
from input_iba.app.options import METHODS
from input_iba.attribution.believe import hidden
from input_iba.core.targets import ContrastTarget
from input_iba.datasets.images import read_image
from input_iba.drawing import heat_of, percent, to_8_bits
from input_iba.drawing.card import draw_card
from input_iba.drawing.pages import data_uri, highlighted, render
from input_iba.drawing.words import Shown
from input_iba.errors import AttributionError, ConfigError, DataError
from input_iba.records import Explanation, Failure, described
from input_iba.registry import BASELINES, build

OURS = {"fast": "InputIBA, fast", "instant": "InputIBA, instant"}
"""Presets that the page offers, and what they are called."""


EXPECTED = "Expected a whole file in a format such as JPEG, PNG or WebP."


@dataclass(frozen=True)
class Uploaded:
    """An image file that is only in memory, and not decoded before its turn; see `Readable`."""

    content: bytes
    suffix: str = ""

    def open(self, mode: Literal["rb"]) -> io.BytesIO:
        """Open it for reading."""
        return io.BytesIO(self.content)

    def image(self) -> Image.Image:
        """Decode it, RGB and upright.

        Raises:
            DataError: It is damaged.
        """
        try:
            return read_image(self)
        except DataError as error:
            raise DataError(f"This image is damaged and cannot be read. {EXPECTED}") from error


def uploaded_image(content: bytes, megapixels: float) -> Uploaded:
    """Return an uploaded image, of which only the head is read.

    Raises:
        DataError: It is none, or has too many pixels to be decoded.
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            size = image.width * image.height
    except Image.DecompressionBombError:
        size = 10**12
    except Exception as error:  # Pillow's readers raise whatever they meet in a damaged file
        raise DataError(f"This is not an image that can be read. {EXPECTED}") from error
    if size > megapixels * 1e6:
        raise DataError(
            f"The image has more than the {megapixels:g} million pixels that are taken. Make it "
            "smaller."
        )
    return Uploaded(content)


@dataclass(frozen=True)
class Question:
    """What a visitor asks.

    Attributes:
        given: An image or a text.
        target: Class by name or number; empty for the predicted one.
        instead_of: Class that it is set against; empty for none.
        method: A key of `OURS`, or another method.
        beside: Another one beside it; empty for none.
    """

    given: Uploaded | str
    model: str
    target: str = ""
    instead_of: str = ""
    method: str = "fast"
    beside: str = ""

    def __post_init__(self) -> None:
        known = [*OURS, *METHODS["images"]]
        for name in filter(None, (self.method, self.beside)):
            if name not in known:
                raise ConfigError(f"Unknown method {name!r}. Known: {', '.join(known)}.")


def answer(question: Question, networks: Networks, told: Told) -> Answer:
    """Explain what a visitor asks.

    Raises:
        InputIBAError: It cannot be; says why, and what can be done.
    """
    network = networks.get(question.model, told)
    of_text = isinstance(question.given, str)
    if of_text != (network.kind == "texts"):
        given = "a text" if of_text else "an image"
        raise ConfigError(f"The network {question.model!r} explains {network.kind}, not {given}.")
    found = {
        name: explained(question, network, name, told)
        for name in dict.fromkeys(filter(None, (question.method, question.beside)))
    }
    first, _ = found[question.method]
    sides = [side(name, record, met) for name, (record, met) in found.items()]
    classes = [(first.class_name(index), percent(share)) for index, share in first.top]
    values = {"title": first.title(), "believed": first.believed(), "classes": classes}
    html = render("answer.html.j2", "input_iba.app", sides=sides, explained=first.name(), **values)
    return Answer(html, {"map.npz": as_npz(first), "card.png": as_png(first)})


def explained(
    question: Question, network: Network, method: str, told: Told
) -> tuple[Explanation, float]:
    """Return what one method found, and how well that is met with the hottest tenth hidden."""
    target, asked_of = target_of(question, network), question.given
    given = asked_of.image() if isinstance(asked_of, Uploaded) else asked_of
    iba = network.iba(method if method in OURS else "fast")

    def progress(stage: str, done: int, of: int, _: Mapping[str, float]) -> None:
        told(stage, done, of)

    if method in OURS:
        record = iba.attribute([given], target, progress=progress)[0]
        return record, record.checks.hidden if record.checks else np.nan
    reader, data = iba.reader_for([given])
    values, [look], asked = reader.asked(data, target)
    other = iba.other(build(BASELINES, {"type": method}))
    [found] = other.attribute(values, asked, progress=progress)
    if isinstance(found, Failure):
        raise AttributionError(f"{method} cannot explain this: {found.reason}")
    told("hiding the hottest tenth", 0, 1)
    [[met, _]] = hidden(other.task(values, asked), found.map[None]).tolist()
    return described(found, look, network.names), met


def target_of(question: Question, network: Network) -> Any:
    """Return what is asked: a class, one rather than another, or the predicted one."""
    target = network.class_of(question.target)
    if not question.instead_of.strip():
        return target
    return ContrastTarget(target, network.class_of(question.instead_of))


def side(method: str, record: Explanation, met: float) -> dict[str, Any]:
    """Return what is shown of one method: its map over the input, and what hiding does."""
    name = OURS.get(method, method.replace("_", " "))
    shown: dict[str, Any] = {"name": name, "words": "", "base": "", "heat": ""}
    if record.words:
        words, values = zip(*record.words, strict=True)
        shown["words"] = highlighted(Shown(words, record.gaps), np.array(values))
    elif record.picture is not None:
        shown["base"] = data_uri(record.picture.permute(1, 2, 0).contiguous().numpy())
        shown["heat"] = data_uri(to_8_bits(record.heat * heat_of(record.map.numpy())))
    before, after = percent(record.target_probability), percent(met)
    what = "words" if record.words else "pixels"
    shown["hiding"] = (
        f"With the hottest 10 % of the {what} hidden, {record.name()} goes from {before} to "
        f"{after}."
    )
    return shown


def as_npz(record: Explanation) -> bytes:
    """Return the map as the file that runs write of it."""
    arrays: dict[str, Any] = {"map": record.map.numpy()}
    if record.words:
        words, values = zip(*record.words, strict=True)
        arrays = {"map": np.array(values, dtype=np.float32), "tokens": np.array(words)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def as_png(record: Explanation) -> bytes:
    """Return the record's card."""
    stream = io.BytesIO()
    draw_card(Figure(layout="constrained"), record).savefig(stream, format="png", dpi=110)
    return stream.getvalue()
