"""Settings are declared once, and check themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from input_iba.errors import ConfigError, EvaluationError
from input_iba.settings import REQUIRED, Settings, declarations, read, read_values, setting, typed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Walk(Settings):
    PLACE = "walk."

    steps: int = setting(10, "steps to take", at_least=1)
    width: float = setting(1.0, "length of one", above=0, none=0.5)
    share: float = setting(0.5, "how far", at_least=0, below=1)
    way: Literal["up", "down"] = setting("up", "where to")
    pace: str = setting("slow", "how fast", choices=("slow", "quick"))
    stops: tuple[int, ...] = setting((), "where to rest", at_least=0)
    most: int | Literal["auto"] | None = setting(None, "bound", at_least=1)
    verbose: bool = setting(False, "say more", changes_result=False)
    other: Any = 3


@dataclass(frozen=True)
class Run(Walk):
    steps: int = 20


@dataclass(frozen=True)
class Scored(Settings):
    PLACE: ClassVar = "--"
    ERROR = EvaluationError
    LEVELS: ClassVar[Tensor]  # a type that is not there at run time

    folder: Path = setting(REQUIRED, "where")
    pixel_batch_size: int = setting(10, "pixels a step", at_least=1)
    progress: bool | None = setting(None, "show a bar", flag="--pbar")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "walk.steps must be a number of at least 1, got 0"),
        ({"steps": 1.5}, "walk.steps must be of type int, got 1.5"),
        ({"steps": True}, "walk.steps must be of type int, got True"),
        ({"width": float("nan")}, "walk.width must be a number above 0"),
        ({"share": 1.0}, "walk.share must be a number of at least 0 and below 1"),
        ({"way": "uq"}, "walk.way must be one of 'up', 'down', got 'uq'. Closest: 'up'"),
        ({"pace": "quik"}, "one of 'slow', 'quick', got 'quik'. Closest: 'quick'"),
        ({"stops": (1, -1)}, "walk.stops must be a number of at least 0, got -1"),
        ({"stops": (1, "a")}, "every item of walk.stops must be of type int"),
        ({"most": 0}, "walk.most must be a number of at least 1"),
        ({"most": "all"}, "walk.most must be of type int or None or 'auto', got 'all'"),
        ({"verbose": 1}, "walk.verbose must be of type bool"),
    ],
)
def test_a_wrong_setting_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Walk(**given)
    assert message in str(caught.value)


def test_values_become_the_types_of_their_fields() -> None:
    walk = Walk(width=2, stops=[1, 2], most="auto")  # type: ignore[arg-type]
    assert (walk.width, type(walk.width), walk.stops, walk.most) == (2.0, float, (1, 2), "auto")
    assert Walk(width=None).width == 0.5  # type: ignore[arg-type]
    assert Scored(folder="x").folder == Path("x")  # type: ignore[arg-type]


def test_another_default_keeps_the_declaration() -> None:
    assert declarations(Run)["steps"].default == 20
    assert declarations(Run)["steps"].help == "steps to take"
    with pytest.raises(ConfigError, match="at least 1"):
        Run(steps=0)


def test_a_class_says_how_and_by_which_error_it_refuses() -> None:
    with pytest.raises(EvaluationError, match=r"^--pixel-batch-size must be"):
        Scored(Path(), pixel_batch_size=0)
    with pytest.raises(EvaluationError, match=r"^--pbar must be of type bool or None"):
        Scored(Path(), progress=1)  # type: ignore[arg-type]


def test_declarations_name_type_default_and_effect() -> None:
    known = declarations(Walk)
    assert "other" not in known
    assert (known["steps"].hint, known["steps"].default) == (int, 10)
    assert [name for name, each in known.items() if not each.changes_result] == ["verbose"]
    assert declarations(Scored)["folder"].default is REQUIRED


def test_types_of_class_variables_are_not_asked_for() -> None:
    assert [item.hint for item in declarations(Scored).values()] == [Path, int, bool | None]


def test_a_section_is_read() -> None:
    found = read(Walk, {"steps": 3, "stops": [1], "unknown": 1}, "walks.first", "'a.py'")
    assert found == Walk(steps=3, stops=(1,))
    assert read_values(Walk, {"width": 2}, "walks", "'a.py'") == {"width": 2.0}
    with pytest.raises(ConfigError, match=r"'walks.first.steps' of 'a.py' must be .*at least 1"):
        read(Walk, {"steps": 0}, "walks.first", "'a.py'")


def test_what_fits_together_is_checked_by_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Walk) -> None:
        raise ConfigError("steps do not fit the width.")

    monkeypatch.setattr(Walk, "__post_init__", refuse)
    with pytest.raises(ConfigError, match=r"Section 'walks' of 'a.py': steps do not fit"):
        read(Walk, {}, "walks", "'a.py'")


def test_values_of_mappings_are_checked() -> None:
    hint = Mapping[str, int | str | None]
    assert typed({"a": 1, "b": None}, hint, "classes") == {"a": 1, "b": None}
    with pytest.raises(ConfigError, match="'a' in classes must be of type int or str or None"):
        typed({"a": 1.5}, hint, "classes")


def test_what_must_be_given_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"'a.py' has no 'scored.folder', which is needed: where"):
        read(Scored, {}, "scored", "'a.py'")
