"""Options of commands come from the declarations of settings."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from input_iba.cli.options import add_cfg_options, add_options, from_arguments
from input_iba.settings import REQUIRED, Settings, setting


@dataclass(frozen=True)
class Walk(Settings):
    folders: tuple[Path, ...] = setting(REQUIRED, "where to go", flag="FOLDER")
    steps: int = setting(10, "steps to take, 5 % of them back", at_least=1)
    share: float = setting(0.5, "how far")
    way: Literal["up", "down"] = setting("up", "where to")
    stops: tuple[int, ...] = setting((), "where to rest")
    most: int | Literal["auto"] | None = setting(None, "bound", at_least=1, metavar="{N,auto}")
    home: Path | None = setting(None, "where from", metavar="DIR")
    back: bool = setting(False, "and back")
    bar: bool | None = setting(None, "show a bar", flag="--pbar")
    given: int = 0


def parser_of(**how: object) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="walk")
    add_options(parser, Walk, **how)  # type: ignore[arg-type]
    return parser


def walked(*argv: str) -> Walk:
    return from_arguments(Walk, parser_of().parse_args(argv), given=4)


def test_defaults_are_those_of_the_class() -> None:
    assert walked("a") == Walk((Path("a"),), given=4)


def test_values_are_read_by_their_types() -> None:
    argv = "a b --steps 3 --share 1 --way down --stops 1 2 --most 4 --home h --back --no-pbar"
    assert walked(*argv.split()) == Walk(
        (Path("a"), Path("b")), 3, 1.0, "down", (1, 2), 4, Path("h"), True, False, given=4
    )
    assert walked("a", "--most", "auto").most == "auto"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["a", "--steps", "0"], "argument --steps: value must be a number of at least 1, got 0"),
        (["a", "--steps", "x"], "argument --steps: value must be of type int, got 'x'"),
        (["a", "--way", "dwn"], "one of 'up', 'down', got 'dwn'. Closest: 'down'"),
        (["a", "--most", "all"], "of type int or 'auto', got 'all'"),
        ([], "the following arguments are required: FOLDER"),
    ],
)
def test_a_wrong_value_is_refused(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser_of().parse_args(argv)
    assert message in capsys.readouterr().err


def test_the_help_says_defaults_and_kinds() -> None:
    text = parser_of().format_help()
    assert "steps to take, 5 % of them back (default: 10)" in " ".join(text.split())
    for shown in ("FOLDER [FOLDER ...]", "--way {up,down}", "--most {N,auto}", "--home DIR"):
        assert shown in " ".join(text.split())


def test_a_command_chooses_options_and_defaults() -> None:
    parsed = parser_of(only=["steps", "way"], without=["way"], defaults={"steps": 7}).parse_args([])
    assert vars(parsed) == {"steps": 7}


def test_overrides_are_of_the_types_that_they_look_like_and_paths_keep_their_spaces() -> None:
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    given = ["a.b=3", "a.c=my runs/net 1.pth", "a.d='layer 1'", "e=[1,2]", "f=None", "g=true"]
    found = parser.parse_args(["--cfg-options", *given]).cfg_options
    assert found == {
        **{"a.b": 3, "a.c": "my runs/net 1.pth", "a.d": "layer 1"},
        **{"e": [1, 2], "f": None, "g": True},
    }
