"""VOC files that are broken or hostile: boxes within the image, or a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from input_iba.datasets.boxes import CORNERS, read_voc_boxes
from input_iba.errors import DataError
from tests.reliability.conftest import Evidence, sized
from tests.reliability.fuzz.bounded import read_or_refused, tried
from tests.reliability.fuzz.mutations import Draw, changed_bytes
from tests.reliability.fuzz.test_images import SECTION

WIDTH, HEIGHT = 40, 30
NUMBERS = st.one_of(
    st.integers(-50, 100).map(str),
    st.floats().map(str),
    st.sampled_from(["", " ", "NaN", "inf", "-inf", "1e39", "1e400", "٣", "1_0", "0x10", "12,5"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4),
)
BOX = "<bndbox><xmin>4</xmin><ymin>5</ymin><xmax>20.5</xmax><ymax>25</ymax></bndbox>"
WHOLE = (
    '<?xml version="1.0" encoding="utf-8"?><annotation><folder>n01</folder><size><width>40</width>'
    f"<height>30</height></size><object><name>cat é</name>{BOX}</object><object>{BOX}</object>"
    "</annotation>"
)
FILES = [WHOLE.encode(), WHOLE.replace("utf-8", "utf-16").encode("utf-16")]

LAUGHS = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
HOSTILE = {
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "lol">{LAUGHS}]><a>&l9;{BOX}</a>',
    "quadratic": f'<!DOCTYPE a [<!ENTITY q "{"q" * 100_000}">]><a>{"&q;" * 50_000}{BOX}</a>',
    "external": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;{BOX}</a>',
    "parameter": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a>{BOX}</a>',
    "encoding": f'<?xml version="1.0" encoding="klingon"?><a>{BOX}</a>',
    "many bytes": f'<?xml version="1.0" encoding="shift_jis"?><a>{BOX}</a>',
    "deep": "<a>" * 100_000 + BOX,
    "unclosed": f"<a>{BOX}",
}


@st.composite
def files_of_objects(draw: Draw) -> str:
    """Draw a file of objects whose boxes may be anything."""
    objects = []
    for _ in range(draw(st.integers(0, 4))):
        corners = draw(st.lists(st.sampled_from(CORNERS), max_size=2)) + list(CORNERS)
        first = st.one_of(st.integers(0, 20).map(str), *[NUMBERS] * draw(st.integers(0, 1)))
        last = st.one_of(st.integers(20, 50).map(str), *[NUMBERS] * draw(st.integers(0, 1)))
        parts = [(name, draw(first if "min" in name else last)) for name in corners]
        parts = parts[: draw(st.sampled_from([9, 9, 9, 3]))]
        inner = "".join(f"<{name}>{_plain(text)}</{name}>" for name, text in parts)
        objects.append(f"<object><bndbox>{inner}</bndbox></object>")
    return f"<annotation>{''.join(objects)}</annotation>"


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("boxes") / "a.xml"


def read(place: Path, content: bytes, megabytes: int = 64) -> Tensor | DataError:
    """Return the boxes, which lie in the image, or what refuses them."""
    place.write_bytes(content)
    found = read_or_refused(
        lambda: read_voc_boxes(place, WIDTH, HEIGHT), DataError, seconds=3, megabytes=megabytes
    )
    if isinstance(found, Tensor):
        assert found.shape[1:] == (4,)
        assert bool((found >= 0).all())
        assert bool((found <= torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT])).all())
        assert bool((found[:, 2:] > found[:, :2]).all())
        return found
    assert isinstance(found, DataError)
    assert str(place) in str(found)
    return found


def test_broken_boxes_are_read_or_refused(place: Path, evidence: Evidence) -> None:
    counts = {True: 0, False: 0}

    @tried(100, 300)
    @given(content=changed_bytes(FILES))
    def bytes_changed(content: bytes) -> None:
        counts[isinstance(read(place, content), Tensor)] += 1

    @tried(100, 300)
    @given(content=files_of_objects())
    @example("<annotation><object><bndbox/></object></annotation>")
    def values_changed(content: str) -> None:
        counts[isinstance(read(place, content.encode()), Tensor)] += 1

    bytes_changed()
    values_changed()
    assert min(counts.values()) > 10
    evidence(
        SECTION,
        "VOC files with changed bytes; with missing, inverted, outside, float and odd boxes",
        sum(counts.values()),
        f"{counts[True]} read to boxes within the image, {counts[False]} refused by name",
        "an encoding that nobody knows, named in a file, ended in a traceback",
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_voc_file_is_refused_quickly(place: Path, kind: str, evidence: Evidence) -> None:
    assert isinstance(read(place, HOSTILE[kind].encode(), megabytes=96), DataError)
    evidence(SECTION, f"a VOC file: {kind}", 1, "refused within 96 MiB and 3 s")


def test_a_file_of_very_many_boxes_is_read(place: Path) -> None:
    count = sized(2_000, 50_000)
    found = read(place, f"<a>{BOX * count}</a>".encode(), megabytes=512)
    assert isinstance(found, Tensor)
    assert len(found) == count
