"""Texts of any Unicode and of any length: cut into words, kept, shown, and named."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from input_iba.datasets.pieces import PieceDataset
from input_iba.datasets.text_table import TextTable
from input_iba.datasets.tokens import basic_english, cleaned, words_read
from input_iba.datasets.vocabulary import build_vocabulary, read_vocabulary, stored_vocabulary
from input_iba.datasets.word_vectors import load_word_vectors
from input_iba.drawing.pages import highlighted_page
from input_iba.drawing.words import as_it_stands, printable, split_at
from input_iba.errors import DataError, InputIBAError
from input_iba.results import file_names, read_text_mask, safe_name, write_mask
from input_iba.results.names import MAX_BYTES
from tests.models.tiny_bert import tokenizer
from tests.reliability.conftest import Evidence, sized
from tests.reliability.fuzz.bounded import bounded, read_or_refused, tried
from tests.reliability.fuzz.test_images import SECTION

ODD = (
    "",
    "\0",
    "a\0b\0",
    "\ud800 half",
    "שלום, עולם! “it's”",
    "\u202eevil\u202c exe.txt",
    "ﷺ İstanbul ẞ ŉ",
    "电影很好。電影",
    "👩\u200d💻👍🏽 🇩🇪",
    "e\u0301\u0302\u0303" * 50,
    "a\u2028b\u2029c\x85d\x1c",
    "<br /><BR />\r\n\r",
    '"<script>alert(1)</script>"',
    "\ufeffbom \ufffe",
    "x" * 300,
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(categories=["Lo", "Mn", "Cf", "Zs", "Po", "Cs", "Cc"]), max_size=40),
    st.lists(st.sampled_from(ODD), max_size=4).map("".join),
)
LONG = ("a" * 100_000, "word, " * 16_667, "שלום " * 20_000, "电影" * 50_000, '"' * 100_000)
"""Texts of 100,000 characters."""


def check_words(text: str, folder: Path, max_length: int | None) -> None:
    """Cut a text, keep a mask of it, read and show that, and find the same words everywhere."""
    text = cleaned(text)
    tokens, spans, part, places = words_read(text, max_length)
    assert max_length is None or len(tokens) <= max_length
    assert all(token and not token.isspace() for token in tokens)
    for token, (start, end), (first, last) in zip(tokens, spans, places, strict=True):
        assert 0 <= start < end <= len(text)
        assert token == text[start:end].replace('"', "").lower()[: len(token)] or '"' in text
        assert part[first:last] == text[start:end]
    assert list(spans) == sorted(spans)
    assert "".join(split_at(part, places).parts) == part
    if not tokens:
        return
    mask = np.linspace(0, 1, len(tokens), dtype=np.float32)
    write_mask(folder / "mask.npz", mask, tokens, part, places)
    found = read_text_mask(folder / "mask.npz")
    assert found.tokens == tokens
    assert "".join(found.shown.parts) == part
    page = highlighted_page(text[:50], {"Class": text[:50]}, found.shown, {"Map": mask})
    assert "<script" not in page
    page.encode()
    seen = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert all(as_it_stands(word) in seen for word in found.shown.words[:20])


def test_texts_of_any_unicode_are_cut_kept_and_shown(tmp_path: Path, evidence: Evidence) -> None:
    counts = {"texts": 0}

    @tried(40, 500)
    @given(text=TEXTS, max_length=st.one_of(st.none(), st.integers(1, 5)))
    def check(text: str, max_length: int | None) -> None:
        check_words(text, tmp_path, max_length)
        counts["texts"] += 1

    check()
    for text in ODD:
        check_words(text, tmp_path, None)
    for text in LONG[: sized(1, len(LONG))]:
        with bounded(seconds=20, megabytes=512):
            check_words(text, tmp_path, None)
            check_words(text, tmp_path, 400)
    evidence(
        SECTION,
        "texts of any Unicode, right to left, halves of characters, NULs; of 100,000 characters",
        counts["texts"] + len(ODD) + len(LONG),
        "cut into words whose places are theirs, kept, read again and shown the same; each of "
        "100,000 characters within 512 MiB and 20 s",
        "NULs in a text were lost in its mask",
    )


def test_tables_of_any_texts_are_read_as_words_and_as_word_pieces(
    tmp_path: Path, evidence: Evidence
) -> None:
    path, counts = tmp_path / "texts.jsonl", {True: 0, False: 0}
    build_vocabulary([["a", "film"]], 10)

    def check(texts: list[str]) -> None:
        path.write_text("".join(json.dumps({"text": one}) + "\n" for one in texts))
        table = TextTable(path)
        vocabulary = build_vocabulary([basic_english(cleaned(one)) for one in texts], 50)
        table.own_vocabulary = vocabulary
        table.fingerprint()
        for dataset in (table, PieceDataset(table, tokenizer(), None)):
            for i in range(len(dataset)):
                found = read_or_refused(lambda i=i, d=dataset: d[i], DataError)  # type: ignore[misc]
                counts[not isinstance(found, InputIBAError)] += 1
                if not isinstance(found, InputIBAError):
                    assert len(found.spans or ()) == len(found.tokens)
                    assert "".join(split_at(found.text, found.spans or ()).parts) == found.text

    @tried(8, 100)
    @given(texts=st.lists(TEXTS, min_size=1, max_size=5))
    @example(list(ODD))
    def some(texts: list[str]) -> None:
        check(texts)

    some()
    with bounded(seconds=60, megabytes=1024):
        check(list(LONG[: sized(1, len(LONG))]))
    evidence(
        SECTION,
        "tables of such texts, read by a vocabulary and by a tokenizer of word pieces",
        sum(counts.values()),
        f"{counts[True]} read, {counts[False]} recorded as failed: they have no word",
    )


def test_any_id_is_the_name_of_a_file_of_its_own(tmp_path: Path, evidence: Evidence) -> None:
    @tried(30, 300)
    @given(ids=st.lists(TEXTS, min_size=1, max_size=6, unique=True))
    @example(["a", "A", "ａ", "con", "aux.txt", "..", ".", "/", "\\", "x" * 400, "x" * 401])
    def check(ids: list[str]) -> None:
        names = file_names(ids)
        assert len({name.casefold() for name in names.values()}) == len(ids)
        for id_, name in names.items():
            assert len(name.encode()) <= MAX_BYTES + 11
            file = tmp_path / f"{name}.npz"
            assert file.parent == tmp_path
            file.write_bytes(b"")
            file.unlink()
            assert safe_name(id_) == safe_name(id_)
            assert printable(id_).isprintable()

    check()
    evidence(SECTION, "ids of any Unicode as names of files", 300, "one of its own each, and valid")


def test_vocabularies_of_any_words_are_kept(tmp_path: Path) -> None:
    @tried(30, 150)
    @given(texts=st.lists(TEXTS, max_size=4))
    def check(texts: list[str]) -> None:
        path = tmp_path / "words.json"
        path.unlink(missing_ok=True)
        words = [["some"], *(basic_english(cleaned(text)) for text in texts)]
        made = stored_vocabulary(path, {}, lambda: words, 100)
        assert read_vocabulary(path) == made
        assert len(made.digest()) == 64

    check()
    (tmp_path / "half.json").write_text('{"words": ["<unk>", "<pad>", "\\ud800"], "built_from": 1}')
    with pytest.raises(DataError, match=r"half\.json"):
        read_vocabulary(tmp_path / "half.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"film nan 1\n", "not finite"),
        (b"film 1 1e999\n", "not finite"),
        (b"film " + b"1" * 2**24, "a line of more than"),
        (b"x 1 2\nfilm 1\n", "expected 2 numbers"),
        (b"film one 2\n", "could not convert"),
        (b"\xff\xfe\0", "no word"),
        (b"", "no word"),
    ],
)
def test_broken_word_vectors_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "glove.2d.txt").write_bytes(content)
    vocabulary = build_vocabulary([["film"]], 10)
    found = read_or_refused(
        lambda: load_word_vectors(vocabulary, tmp_path, 2), DataError, seconds=5, megabytes=64
    )
    assert said in str(found)
