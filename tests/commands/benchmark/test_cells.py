"""Ranks, levels and sentences of made-up scores, whose answers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from input_iba.commands.benchmark.cells import SIGNIFICANT, Cell, level_cells, lost, mean_ranks
from input_iba.evaluation import holm, sign_flip_p

N = 12


def cell(
    scores: Mapping[str, Sequence[float]], higher: bool | None = True, key: str = "area"
) -> Cell:
    """Return a cell of some methods' scores on samples 0, 1 and so on."""
    by_id = {name: {str(i): v for i, v in enumerate(found)} for name, found in scores.items()}
    return Cell("Net", "metric", key, higher, by_id)


def shifted(by: float) -> list[float]:
    """Return scores that are alike but for a constant, which is significant for 12 samples."""
    return [0.5 + 0.01 * i + by for i in range(N)]


def jittered(by: float) -> list[float]:
    """Return scores that lie now above and now below `shifted(0)`, by more than `by`."""
    return [v + by + (0.2 if i % 2 else -0.2) for i, v in enumerate(shifted(0))]


def test_a_clear_loss_is_named_with_its_numbers() -> None:
    found = cell({"ours": shifted(0), "rival": shifted(0.1), "random": shifted(-0.3)})
    [sentence] = lost([found], "ours", level=False)
    assert sentence == (
        "Net, metric area: ours (0.555, rank 2 of 3) is significantly worse than rival (0.655): "
        "difference -0.100, -0.100 to -0.100, p < 0.001, n = 12."  # 2 · 2 / 2¹²
    )
    assert list(lost([found], "ours", level=True)) == []
    assert found.level == {"rival"}


def test_a_lead_by_chance_is_level() -> None:
    found = cell({"ours": shifted(0), "rival": jittered(0.01), "random": shifted(-0.3)})
    assert found.best == "rival"
    assert found.level == {"ours", "rival"}
    assert list(lost([found], "ours", level=False)) == []
    [sentence] = lost([found], "ours", level=True)
    assert "ours (0.555, rank 2 of 3) is level with rival (0.565)" in sentence


def test_nothing_is_said_where_ours_leads_or_nobody_does() -> None:
    leading = cell({"ours": shifted(0), "rival": shifted(-0.1)})
    tied = cell({"ours": shifted(0), "rival": shifted(0)})
    undirected = cell({"ours": shifted(0), "rival": shifted(0.1)}, higher=None)
    for level in (False, True):
        assert list(lost([leading, tied, undirected], "ours", level)) == []
    assert undirected.ranks == {} and undirected.level == frozenset()
    assert tied.ranks == {"ours": 1.5, "rival": 1.5}


def test_less_is_better_where_the_metric_says_so() -> None:
    found = cell({"ours": shifted(0), "rival": shifted(-0.1)}, higher=False)
    assert (found.best, found.ranks) == ("rival", {"ours": 2, "rival": 1})
    assert len(list(lost([found], "ours", level=False))) == 1


def test_the_mean_rank_is_over_cells_with_a_direction_that_have_the_method() -> None:
    cells = [
        cell({"a": [3], "b": [2], "c": [1]}),
        cell({"a": [3], "b": [2], "c": [1]}, higher=False),
        cell({"a": [1], "b": [1]}),
        cell({"a": [1], "b": [9]}, higher=None),
    ]
    assert mean_ranks(cells) == {
        "a": (pytest.approx((1 + 3 + 1.5) / 3), 3),
        "b": (pytest.approx((2 + 2 + 1.5) / 3), 3),
        "c": (2, 2),
    }
    assert level_cells(cells, "c") == (2, 2)  # of one sample nothing is significant
    assert level_cells(cells[3:], "a") == (0, 0)


def test_significance_is_corrected_for_the_number_of_methods() -> None:
    """Of five samples a constant difference has p = 1/16, of six 1/32, which Holm doubles."""
    two = cell({"a": [1.0] * 6, "b": [0.9] * 6})
    three = cell({"a": [1.0] * 6, "b": [0.9] * 6, "c": [0.8] * 6})
    assert two.p_against("a") == {"b": pytest.approx(1 / 32)}
    assert two.level == {"a"}
    assert three.p_against("a") == {"b": pytest.approx(1 / 16), "c": pytest.approx(1 / 16)}
    assert three.level == {"a", "b", "c"}


@given(
    st.lists(st.lists(st.integers(-5, 5), min_size=4, max_size=4), min_size=2, max_size=4),
    st.booleans(),
)
def test_ranks_and_levels_are_those_of_the_definition(
    scores: list[list[int]], higher: bool
) -> None:
    found = cell({str(i): values for i, values in enumerate(scores)}, higher)
    means = [fmean(values) * (1 if higher else -1) for values in scores]
    for i, mean in enumerate(means):
        places = [place for place, v in enumerate(sorted(means, reverse=True), 1) if v == mean]
        assert found.ranks[str(i)] == fmean(places)
    assert sum(found.ranks.values()) == len(scores) * (len(scores) + 1) / 2
    best = means.index(max(means))
    others = [i for i in range(len(scores)) if i != best]
    p = holm(
        [sign_flip_p([a - b for a, b in zip(scores[i], scores[best], strict=True)]) for i in others]
    )
    level = {str(best), *(str(i) for i, v in zip(others, p, strict=True) if v >= SIGNIFICANT)}
    assert found.level == level
