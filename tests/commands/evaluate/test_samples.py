"""Which samples are scored: all, or a draw that depends on the seed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from input_iba.commands.evaluate.samples import read_scores, select, stamp
from input_iba.errors import DataError, EvaluationError

IDS = [f"s{i}" for i in range(20)]
MAPS = {id_: Path(id_) for id_ in IDS}


def test_all_samples_are_taken_without_a_number() -> None:
    found = select(IDS, MAPS)
    assert found.ids == IDS
    assert (list(found.missing), found.total) == ([], 20)


def test_a_draw_keeps_the_order_and_grows() -> None:
    few, more = (list(select(IDS, MAPS, number).ids) for number in (5, 9))
    assert set(few) < set(more)
    assert few == [id_ for id_ in IDS if id_ in few]
    assert few != IDS[:5]
    assert few != list(select(IDS, MAPS, 5, seed=1).ids)


def test_missing_maps_leave_the_order_of_the_draw() -> None:
    few = list(select(IDS, MAPS, 5).ids)
    maps = {id_: path for id_, path in MAPS.items() if id_ != few[0]}
    with pytest.raises(EvaluationError, match=f"1 of 20 .*{few[0]}.*--allow-missing"):
        select(IDS, maps, 5)
    found = select(IDS, maps, 5, allow_missing=True)
    assert set(few[1:]) < set(found.ids)
    assert (len(found.ids), list(found.missing)) == (5, [few[0]])


def test_no_map_at_all_is_an_error_always() -> None:
    with pytest.raises(EvaluationError, match="HEATMAP_DIR"):
        select(IDS, {}, allow_missing=True)


def test_a_metric_without_maps_misses_none() -> None:
    assert select(IDS, None).ids == IDS


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "map.npz"
    path.write_bytes(b"1")
    first = stamp(path)
    path.write_bytes(b"22")
    assert stamp(path) != first
    assert stamp(None) == ""


@pytest.mark.parametrize("text", ["no json", "[]", '{"a": 3}', '{"a": {"target": 1}}'])
def test_scores_of_another_form_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.json"
    path.write_text(text)
    with pytest.raises(DataError, match="cannot be used"):
        read_scores(path)
