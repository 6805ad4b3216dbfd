"""Single deletion and rank correlation: the literal procedures, and known answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from input_iba.errors import EvaluationError
from input_iba.evaluation import single_deletion, spearman, top_overlap
from tests.evaluation import literal
from tests.evaluation.nets import linear, logit_of, network
from tests.reference import metrics

SIZE = (7, 9)
VALUES = arrays(np.float64, (2, 12), elements=st.integers(-3, 3).map(float))


@given(VALUES)
def test_rank_correlation_is_scipys(values: literal.Array) -> None:
    first, second = values
    found = spearman(torch.from_numpy(first)[None], torch.from_numpy(second)[None]).item()
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert found == 0
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)


@given(st.integers(0, 99), st.sampled_from([0.01, 0.05, 0.4, 1]))
def test_overlap_of_the_hottest(seed: int, share: float) -> None:
    draws = np.random.default_rng(seed)
    first, second = (draws.permutation(63) for _ in range(2))
    count = max(1, round(share * 63))
    hottest = [set(np.argsort(-values)[:count].tolist()) for values in (first, second)]
    maps = [torch.from_numpy(values).view(1, *SIZE) for values in (first, second)]
    found = top_overlap(maps[0], maps[1], share)
    assert found.item() == pytest.approx(len(hottest[0] & hottest[1]) / count)
    assert top_overlap(maps[0], maps[0], share).item() == 1


@pytest.mark.parametrize("patches", [2, 3, 7])
@pytest.mark.parametrize("rows", [3, 64])
def test_equals_the_literal_procedure(patches: int, rows: int) -> None:
    model, draws = network(SIZE), np.random.default_rng(patches)
    inputs, heats = draws.normal(size=(2, 2, *SIZE)), draws.normal(size=(2, *SIZE))
    tensors = torch.from_numpy(inputs), torch.from_numpy(heats)
    found = single_deletion(model, *tensors, [2, 0], patches, rows)
    for i, target in enumerate((2, 0)):
        sums, drops = metrics.single_deletion(logit_of(model, target), inputs[i], heats[i], patches)
        assert found.sums[i].tolist() == pytest.approx(sums, abs=1e-9)
        assert found.drops[i].tolist() == pytest.approx(drops, abs=1e-6)
        expected = spearmanr(sums, drops).statistic
        assert found.rank_correlation[i].item() == pytest.approx(expected, abs=1e-9)


def test_what_a_linear_network_adds_up_is_right() -> None:
    weights = torch.randn(8, 8, generator=torch.Generator().manual_seed(0)).double()
    x, heats = torch.ones(3, 1, 8, 8).double(), torch.stack([weights, -weights, 0 * weights])
    found = single_deletion(linear(weights), x, heats, [1, 1, 1])
    assert found.rank_correlation.tolist() == pytest.approx([1, -1, 0])
    assert found.drops[0].tolist() == pytest.approx(found.sums[0].tolist())


def test_what_cannot_be_scored_is_refused() -> None:
    net, x = linear(torch.rand(SIZE)), torch.rand(1, 1, *SIZE)
    for patches in (1, 8):
        with pytest.raises(EvaluationError, match="2 to 7 patches per side"):
            single_deletion(net, x, x[:, 0], [1], patches)
    with pytest.raises(EvaluationError, match="Resize"):
        single_deletion(net, x, x[:, 0, 1:], [1])
    with pytest.raises(EvaluationError, match="classes 0 to 1"):
        single_deletion(net, x, x[:, 0], [2])
    with pytest.raises(EvaluationError, match="share of the hottest"):
        top_overlap(x[0], x[0], 0)
