"""Running statistics are exact for any split into batches."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from input_iba.core.statistics import RunningStatistics
from input_iba.errors import AttributionError


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.integers(0, 1000))
def test_any_split_gives_the_same(sizes: list[int], seed: int) -> None:
    count = sum(sizes)
    assume(count > 1)
    generator = torch.Generator().manual_seed(seed)
    data = 5 + 3 * torch.randn(count, 2, 3, generator=generator, dtype=torch.float64)
    data[data < 4] = 0
    running = RunningStatistics()
    for batch in torch.split(data, sizes):
        running.update(batch)
    result = running.result()
    torch.testing.assert_close(result.mean, data.mean(0), rtol=0, atol=1e-12)
    torch.testing.assert_close(result.std, data.std(0), rtol=0, atol=1e-12)
    torch.testing.assert_close(result.nonzero, (data != 0).double().mean(0))
    assert result.count == count


def test_merged_halves_equal_the_whole() -> None:
    data = torch.randn(20, 4, dtype=torch.float64)
    left, right, whole = RunningStatistics(), RunningStatistics(), RunningStatistics()
    left.update(data[:7])
    right.update(data[7:])
    whole.update(data)
    left.merge(right)
    left.merge(RunningStatistics())
    torch.testing.assert_close(left.result().std, whole.result().std, rtol=0, atol=1e-14)


def test_active_elements() -> None:
    data = torch.zeros(200, 3)
    data[:2, 1] = 1
    data[:3, 2] = 1
    running = RunningStatistics()
    running.update(data)
    assert (running.result().nonzero > 0.01).tolist() == [False, False, True]


def test_bad_batches_are_refused() -> None:
    running = RunningStatistics()
    running.update(torch.ones(1, 2, 3))
    with pytest.raises(AttributionError, match="at least 2 samples"):
        running.result()
    with pytest.raises(AttributionError, match=r"\(2, 3\) to \(2, 4\)"):
        running.update(torch.ones(1, 2, 4))
    with pytest.raises(AttributionError, match="NaN"):
        running.update(torch.full((1, 2, 3), torch.nan))


def test_the_order_of_merging_alone_decides_the_bits() -> None:
    batches = list(torch.randn(9, 5, 40).unbind())
    whole, parts = RunningStatistics(), RunningStatistics()
    for batch in batches:
        whole.update(batch)
    computed_elsewhere = [RunningStatistics.of(batch) for batch in reversed(batches)]
    for part in reversed(computed_elsewhere):
        parts.merge(part)
    assert torch.equal(parts.result().mean, whole.result().mean)
    assert torch.equal(parts.result().std, whole.result().std)


def test_parts_of_another_shape_are_refused() -> None:
    running = RunningStatistics.of(torch.ones(2, 1, 3))
    with pytest.raises(AttributionError, match=r"\(1, 3\) to \(4, 3\)"):
        running.merge(RunningStatistics.of(torch.ones(2, 4, 3)))
