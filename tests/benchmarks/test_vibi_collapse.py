"""The study of the collapse tells masks and statistics apart, and leaves the networks alone."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.vibi_collapse import agreement, with_batch_norm
from input_iba.vibi import Vibi
from tests.conftest import Unchanged
from tests.vibi.nets import planted, small_vibi


def normalised_over_batches() -> Vibi:
    vibi = small_vibi()
    with_batch_norm(vibi)
    return vibi


def test_every_group_norm_is_replaced() -> None:
    vibi = normalised_over_batches()
    kinds = [type(module) for module in vibi.modules()]
    assert nn.GroupNorm not in kinds
    assert nn.BatchNorm2d in kinds
    _, data = planted(4)
    assert vibi.explain(data.prepare(data.inputs)).shape == (4, 4)


def test_measuring_leaves_running_statistics_as_they_were(unchanged: Unchanged) -> None:
    vibi = normalised_over_batches()
    _, data = planted(32)
    with unchanged(vibi):
        agreement(vibi, data, 0.7, True)


def test_only_batch_norm_tells_statistics_apart() -> None:
    _, data = planted(64)
    grouped, batched = small_vibi(), normalised_over_batches()
    assert agreement(grouped, data, 0.0, True) == agreement(grouped, data, 0.0, False)
    with torch.no_grad():  # as if training had shown other pictures
        for module in batched.approximator.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                module.running_mean.fill_(100.0)
    inputs = data.prepare(data.inputs)
    wrong = batched.eval().approximate(batched.top_k_inputs(inputs)).argmax(1)
    assert len(set(wrong.tolist())) == 1  # one class for all: what a collapse looks like
    share = (wrong == data.log_probabilities.argmax(1)).float().mean().item()
    assert abs(agreement(batched, data, 0.0, False) - share) < 1e-6
    assert agreement(batched, data, 0.7, True) != share
