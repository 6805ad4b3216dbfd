"""What an earlier start left is continued only as asked, and only as it was made."""

from __future__ import annotations

import pytest

from input_iba.errors import ResumeError
from input_iba.results import differences, may_continue, refuse_changes

THEN = {"seed": 0, "net": {"k": 4, "sizes": [1, 2]}}


def test_nothing_there_is_not_continued() -> None:
    assert not may_continue("The run", None, THEN, wanted=True)


def test_what_is_the_same_is_continued_also_when_it_was_stored_as_json() -> None:
    assert may_continue("The run", THEN, {"seed": 0, "net": {"k": 4, "sizes": (1, 2)}}, wanted=True)


def test_what_is_not_asked_for_is_refused() -> None:
    with pytest.raises(ResumeError, match=r"The run is there .*--again, or go away\.$"):
        may_continue("The run", THEN, THEN, wanted=False, otherwise="go away", option="--again")


def test_every_difference_is_named_where_it_stands() -> None:
    now = {"seed": 1, "net": {"k": 8, "sizes": [1, 2]}, "more": True}
    said = ["seed: was 0, now 1", "net.k: was 4, now 8", "more: was None, now True"]
    assert differences(THEN, now) == said
    with pytest.raises(ResumeError) as caught:
        refuse_changes("The run", THEN, now, "go away")
    assert all(line in str(caught.value) for line in said)


def test_of_texts_the_lines_that_changed_are_shown() -> None:
    [said] = differences({"config": "a = 1\nb = 2\n"}, {"config": "a = 1\nb = 3\n"})
    assert said.splitlines()[-2:] == ["-b = 2", "+b = 3"]
