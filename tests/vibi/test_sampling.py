"""Relaxed samples have at most k ones, hard ones exactly k, and both lead to the logits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.vibi import annealed, hard_top_k, relaxed_k_hot
from input_iba.vibi.model import gumbel_noise


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(
    chunks=st.integers(1, 30),
    k=st.integers(1, 8),
    temperature=st.floats(0.05, 5.0),
    seed=st.integers(0, 1000),
    straight_through=st.booleans(),
)
def test_a_sample_sums_to_at_most_k_and_to_k_when_hard(
    chunks: int, k: int, temperature: float, seed: int, straight_through: bool
) -> None:
    k = min(k, chunks)
    logits = 3 * torch.randn(5, chunks, generator=generator(seed))
    shown = relaxed_k_hot(logits, k, temperature, 3, generator(seed), straight_through)
    assert shown.shape == (5, 3, chunks)
    assert shown.dtype == torch.float32
    assert bool(((shown >= -1e-6) & (shown <= 1 + 1e-6)).all())
    assert bool((shown.sum(-1) <= k + 1e-4).all())
    if straight_through:
        assert torch.equal(shown.round().sum(-1), torch.full((5, 3), float(k)))
        assert torch.allclose(shown, shown.round(), atol=1e-6)


def test_the_hard_mask_shows_the_k_greatest() -> None:
    logits = torch.randn(6, 20, generator=generator())
    shown = hard_top_k(logits, 7)
    for row, mask in zip(logits.tolist(), shown.tolist(), strict=True):
        seventh = sorted(row)[-7]
        assert mask == [float(value >= seventh) for value in row]


def test_equal_logits_still_show_exactly_k() -> None:
    assert hard_top_k(torch.zeros(2, 9), 4).sum(-1).tolist() == [4, 4]


@pytest.mark.parametrize("straight_through", [False, True])
def test_absent_chunks_are_never_shown(straight_through: bool) -> None:
    logits = torch.tensor([[0.0, 1.0, -math.inf, -math.inf]])
    shown = relaxed_k_hot(logits, 3, 0.5, 4, generator(), straight_through)
    assert bool(torch.isfinite(shown).all())
    assert float(shown[..., 2:].max()) == 0.0
    assert hard_top_k(logits, 3).tolist() == [[1, 1, 0, 0]]


def test_chunks_are_drawn_as_often_as_the_softmax_says() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0]])
    shown = relaxed_k_hot(logits, 1, 0.01, 20_000, generator())
    frequency = (shown > 0.5).float().mean(1)[0]
    assert torch.allclose(frequency, logits.softmax(-1)[0], atol=0.015)


def test_gumbel_noise_is_finite_and_has_the_mean_of_eulers_constant() -> None:
    noise = gumbel_noise((200_000,), generator())
    assert bool(torch.isfinite(noise).all())
    assert math.isclose(noise.mean(), 0.5772, abs_tol=0.02)
    assert math.isclose(noise.var(), math.pi**2 / 6, abs_tol=0.05)


@pytest.mark.parametrize("straight_through", [False, True])
def test_a_gradient_reaches_the_logits(straight_through: bool) -> None:
    logits = torch.randn(4, 10, generator=generator()).requires_grad_()
    shown = relaxed_k_hot(logits, 3, 0.5, 2, generator(), straight_through)
    torch.autograd.backward((shown * torch.arange(10.0)).sum())
    assert logits.grad is not None
    assert bool((logits.grad.abs().sum(1) > 0).all())


def test_a_lower_temperature_makes_samples_harder() -> None:
    logits = torch.randn(50, 10, generator=generator())
    soft, hard = (relaxed_k_hot(logits, 2, t, 4, generator()) for t in (2.0, 0.1))
    assert (hard * (1 - hard)).mean() < 0.3 * (soft * (1 - soft)).mean()


def test_the_temperature_falls_from_start_to_end() -> None:
    values = [annealed(0.7, 0.1, step / 10) for step in range(11)]
    assert values[0] == pytest.approx(0.7)
    assert values[-1] == pytest.approx(0.1)
    assert values == sorted(values, reverse=True)
