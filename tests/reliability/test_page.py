"""The page about reliability: what was tried stands in tables, section by section."""

from __future__ import annotations

from tests.reliability.page import written

LINES = [
    {"section": "Kills", "tried": "B", "count": 50, "outcome": "nothing lost", "mended": ""},
    {"section": "Kills", "tried": "A", "count": 3, "outcome": "nothing lost", "mended": "a hang"},
    {"section": "Fuzzing", "tried": "images", "count": 1000, "outcome": "refused", "mended": ""},
]


def test_sections_and_rows_are_in_order() -> None:
    text = written(LINES)
    assert text.startswith("# Reliability\n")
    assert "python 3" in text
    fuzzing, kills = text.split("## ")[1:]
    assert fuzzing.strip().splitlines()[-1] == "| images | 1000 | refused | – |"
    assert kills.splitlines()[-2:] == [
        "| A | 3 | nothing lost | a hang |",
        "| B | 50 | nothing lost | – |",
    ]
