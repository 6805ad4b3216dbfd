"""Mutants change one thing each, and say what; shares of what ran are counted apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reliability.covered import shares
from tests.reliability.mutants import mutants

SOURCE = '''"""A module."""
LIMIT = 3

class Bounded:
    """Bounds."""

    def below(self, values: list[int] = [1], *, sum: bool = True) -> bool:
        """Say whether all are below 2."""
        if not values:
            raise ValueError("No values" + "at all")
        return self.most and max(values) < -LIMIT * 2
'''


def changes(source: str, folder: Path) -> list[str]:
    file = folder / "bounded.py"
    file.write_text(source, encoding="utf-8")
    return [each.change for each in mutants(file)]


def test_every_part_of_a_function_is_changed_once_but_messages_and_types(tmp_path: Path) -> None:
    assert changes(SOURCE, tmp_path) == [
        "not values → values",
        "return self.most and max(values) < -LIMIT * 2 → return None",
        "self.most and max(values) < -LIMIT * 2 → self.most or max(values) < -LIMIT * 2",
        "max(values) < -LIMIT * 2 → max(values) <= -LIMIT * 2",
        "max(values) → min(values)",
        "-LIMIT * 2 → -LIMIT / 2",
        "-LIMIT → LIMIT",
        "2 → 3",
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if x: x += 0.5", ["if x:\n    x += 0.5 → if not x:\n    x += 0.5"]),
        ("return [y for y in x if y.any()]", ["y.any() → y.all()"]),
        ("x(flag=True)", ["True → False"]),
        ("return None", []),
        ("return f'{x + 1}'", ["return f'{x + 1}' → return None"]),
    ],
)
def test_what_can_stand_in_place_of_what(body: str, expected: list[str], tmp_path: Path) -> None:
    found = changes(f"def f(x):\n    {body}\n", tmp_path)
    assert set(expected) <= set(found)
    assert bool(found) == bool(expected)


def test_a_mutant_behaves_as_it_says(tmp_path: Path) -> None:
    file = tmp_path / "double.py"
    file.write_text("def double(x):\n    return x + x\n", encoding="utf-8")
    results = []
    for mutant in mutants(file):
        names: dict[str, Any] = {}
        exec(mutant.code, names)
        results.append(names["double"](3))
    assert results == [None, 0]


def test_lines_and_branches_are_counted_apart() -> None:
    totals = {"covered_lines": 9, "num_statements": 10, "covered_branches": 1, "num_branches": 4}
    assert shares(totals) == {"lines": 90.0, "branches": 25.0}
