"""The tokenizer against a literal reading of the documented rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.datasets.tokens import basic_english, located

RULES = [
    (r"'", " ' "),
    (r'"', ""),
    (r"\.", " . "),
    (r"<br />", " "),
    (r",", " , "),
    (r"\(", " ( "),
    (r"\)", " ) "),
    (r"!", " ! "),
    (r"\?", " ? "),
    (r"[;:]", " "),
]
"""Normalisation as torchtext documents it, in its order."""


def literal(text: str) -> list[str]:
    text = text.lower()
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text.split()


@given(st.lists(st.sampled_from([*"aZ '\".,()!?;:<>/-\t\n\xa0é", "<br />", "br", " />"])))
def test_any_text_is_cut_as_documented(parts: list[str]) -> None:
    text = "".join(parts)
    assert basic_english(text) == literal(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("You can now install TorchText using pip!", "you can now install torchtext using pip !"),
        ('He said "no"-body isn\'t', "he said no-body isn ' t"),
        ("one<br />two<br/>three", "one two<br/>three"),
        ("a;b:c/d", "a b c/d"),
        ("...", ". . ."),
        ('<b"r />', ""),
        ("<br;/>", "<br />"),
        (" \n ", ""),
    ],
)
def test_known_answers(text: str, tokens: str) -> None:
    assert basic_english(text) == tokens.split()


@given(st.text(st.sampled_from("aİΣ ß'.\n\xa0é電")))
def test_tokens_stand_where_they_are_said_to(text: str) -> None:
    tokens, spans = located(text)
    assert tokens == literal(text)
    assert [text[start:end].lower() for start, end in spans] == tokens or "Σ" in text or "İ" in text
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(start < end for start, end in spans)
