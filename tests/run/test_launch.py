"""Processes of one run: their shares, and going on together or not at all."""

from __future__ import annotations

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from input_iba.commands.explain.loop import batches_to_do
from input_iba.errors import ConfigError, ProcessError
from input_iba.run.launch import Processes, launch
from tests.commands.explain.test_estimation import Noise
from tests.run.threads import play


@given(st.lists(st.integers()), st.integers(1, 9))
def test_shares_are_a_balanced_partition_in_order(items: list[int], world_size: int) -> None:
    shares = [Processes(rank, world_size).share(items) for rank in range(world_size)]
    assert sorted(chain(*shares)) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    rounds = [shares[i % world_size][i // world_size] for i in range(len(items))]
    assert rounds == items


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.data())
def test_what_is_left_is_shared_in_the_same_batches_by_any_number(
    count: int, size: int, before: int, now: int, data: st.DataObject
) -> None:
    dataset = Noise(count, bad=set())
    ids = dataset.ids
    whole = batches_to_do(dataset, ids, size, frozenset())
    assert list(chain(*whole)) == list(range(count))
    done = data.draw(st.sets(st.sampled_from(range(len(whole)))))
    assert sorted(chain(*(Processes(r, before).share(whole) for r in range(before)))) == whole
    finished = frozenset(ids[i] for batch in done for i in whole[batch])
    left = batches_to_do(dataset, ids, size, finished)
    shares = [Processes(rank, now).share(left) for rank in range(now)]
    assert sorted(chain(*shares)) == [whole[i] for i in range(len(whole)) if i not in done]
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_one_process_is_alone() -> None:
    with launch("none") as processes, processes.together():
        assert processes == Processes()
        assert processes.is_main
        assert processes.from_main(lambda: 3) == 3
        assert processes.all_gather("x") == ["x"]


def test_values_come_in_rank_order_and_from_the_first() -> None:
    def part(processes: Processes) -> tuple[list[int], int]:
        return processes.all_gather(processes.rank), processes.from_main(lambda: processes.rank + 7)

    assert play(3, part) == [([0, 1, 2], 7)] * 3


def failing(*ranks: int, error: type[Exception] = ConfigError) -> list[str | Exception]:
    def part(processes: Processes) -> str:
        with processes.together():
            if processes.rank in ranks:
                raise error(f"wrong in {processes.rank}")
        return "went on"

    return play(3, part)


def test_where_nothing_fails_all_go_on() -> None:
    assert failing() == ["went on"] * 3


def test_an_error_ends_all_and_one_says_it() -> None:
    first, second, third = failing(1, 2)
    assert isinstance(second, ConfigError)
    assert isinstance(first, ProcessError)
    assert isinstance(third, ProcessError)
    assert [error.said for error in (first, second, third)] == [True, False, True]
    assert all(error.usage for error in (first, second, third))
    assert str(first) == str(third) == "Process 1: wrong in 1"


def test_an_unexpected_error_ends_all_as_one() -> None:
    first, second, third = failing(0, error=ZeroDivisionError)
    assert isinstance(first, ZeroDivisionError)
    for error in (second, third):
        assert isinstance(error, ProcessError)
        assert (error.said, error.usage) == (True, False)
