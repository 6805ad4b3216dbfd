"""Losses against torch.distributions and against sums written out."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from input_iba.vibi import jensen_shannon, kl_from_uniform, soft_cross_entropy


def rows(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_divergence_from_uniform_is_that_of_torch() -> None:
    logits = 2 * rows(7, 49)
    expected = kl_divergence(Categorical(logits=logits), Categorical(logits=torch.zeros(7, 49)))
    assert kl_from_uniform(logits).item() == pytest.approx(expected.mean().item(), rel=1e-5)
    assert kl_from_uniform(torch.zeros(3, 5)).item() == pytest.approx(0.0, abs=1e-6)


def test_absent_chunks_do_not_count_in_the_divergence() -> None:
    logits = rows(2, 6).requires_grad_()
    absent = torch.tensor([[False] * 6, [False] * 4 + [True] * 2])
    found = kl_from_uniform(logits.masked_fill(absent, -math.inf))
    singly = [kl_from_uniform(logits[:1]), kl_from_uniform(logits[1:, :4])]
    assert found.item() == pytest.approx(torch.stack(singly).mean().item(), rel=1e-5)
    torch.autograd.backward(found)
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())


def test_the_cross_entropy_is_summed_over_classes_and_averaged_over_samples_and_draws() -> None:
    samples, draws, classes = 3, 2, 4
    log_p, logits = rows(samples, classes).log_softmax(-1), rows(samples * draws, classes, seed=1)
    total = 0.0
    for s in range(samples):
        for d in range(draws):
            row = logits[s * draws + d].tolist()
            norm = math.log(sum(math.exp(value) for value in row))
            for c in range(classes):
                total -= math.exp(log_p[s, c].item()) * (row[c] - norm)
    found = soft_cross_entropy(log_p, logits).item()
    assert found == pytest.approx(total / (samples * draws), rel=1e-5)


def test_the_distance_is_that_of_scipy() -> None:
    from scipy.spatial.distance import jensenshannon

    p, q = rows(5, 10).softmax(-1), (4 * rows(5, 10, seed=1)).softmax(-1)
    expected = [jensenshannon(a, b, base=2) for a, b in zip(p.numpy(), q.numpy(), strict=True)]
    assert jensen_shannon(p.log(), q.log()).tolist() == pytest.approx(expected, abs=1e-4)


def test_the_distance_of_certain_and_opposite_answers_is_one() -> None:
    one, other = torch.tensor([[0.0, -math.inf]]), torch.tensor([[-math.inf, 0.0]])
    assert jensen_shannon(one, other).item() == pytest.approx(1.0)
    assert jensen_shannon(one, one).item() == pytest.approx(0.0, abs=1e-3)
