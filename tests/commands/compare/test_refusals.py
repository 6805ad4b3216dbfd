"""What comparisons refuse before they score anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.comparing import compare, random_maps, write_records, write_work_dir
from tests.commands.evaluating import Evaluated


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classifier": "other"}, "weights of the classifier (hash)"),
        ({"data": "other"}, "files of data.attribution (hash)"),
    ],
)
def test_other_classifiers_and_samples_are_refused(
    tiny: Evaluated,
    three: list[Path],
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    message: str,
) -> None:
    strange = write_work_dir(tiny, "strange", random_maps(tiny, 5), **changes)
    config = strange / "config.py"
    own = config.read_text()
    config.write_text(own.replace("num_classes=4", "num_classes=5"))
    assert compare(tiny, [three[0], strange]) == 2
    error = capsys.readouterr().err
    assert f"{message}: " in error
    assert "other in" in error
    assert '+  "num_classes": 5' in error
    config.write_text(own)
    assert compare(tiny, [strange, strange], "--names", "a", "b") == 2
    assert "no longer gives what was explained" in capsys.readouterr().err
    assert not (tiny.root / "out" / "rows").exists()


def test_other_targets_are_refused(
    tiny: Evaluated, three: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_records(tiny, three[1], tiny.ids, shift=1)
    assert compare(tiny, three) == 2
    expected = f"target of {tiny.ids[0]}: {tiny.dataset[0].target} in"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--against", "randm0"), "Closest: 'random0'"),
        (("--names", "a", "b"), "one name of its own"),
        (("--names", "a", "b", "b"), "one name of its own"),
    ],
)
def test_wrong_options_are_refused(
    tiny: Evaluated,
    three: list[Path],
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    message: str,
) -> None:
    assert compare(tiny, three, *options) == 2
    assert message in capsys.readouterr().err


def test_a_folder_without_a_manifest_is_refused(
    tiny: Evaluated, three: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(tiny, [three[0], tiny.maps]) == 2
    assert "no manifest.json" in capsys.readouterr().err
    assert compare(tiny, [three[0], tiny.root / "absent"]) == 2


def test_results_of_something_else_are_not_overwritten(tiny: Evaluated, three: list[Path]) -> None:
    (tiny.root / "out").mkdir()
    (tiny.root / "out" / "compare.md").write_text("mine")
    assert compare(tiny, three) == 2
    assert (tiny.root / "out" / "compare.md").read_text() == "mine"
