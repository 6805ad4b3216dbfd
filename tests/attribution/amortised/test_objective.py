"""What an explainer learns: the divergence of shares, and InputIBA's own loss, both literally."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from torch import Tensor, nn

from input_iba.attribution.amortised import behind_noise, divergence
from input_iba.core.classifier import Classifier
from input_iba.core.information import MAX_LAMBDA
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.modality import TextModality, VisionModality
from tests.attribution.text_nets import PAD, TinyLSTM, sentences


def by_loops(logits: Tensor, maps: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return KL[b / Σb ‖ softmax(a)] of each input, position by position."""
    found = []
    for row, (a, b) in enumerate(zip(logits.flatten(1), maps.flatten(1), strict=True)):
        there = (
            range(len(a)) if counted is None else counted[row].flatten().nonzero()[:, 0].tolist()
        )
        total, normaliser = sum(float(b[i]) for i in there), sum(math.exp(a[i]) for i in there)
        loss = 0.0
        for i in there:
            share = float(b[i]) / total if total > 0 else 0.0
            if share > 0:
                loss += share * math.log(share / (math.exp(a[i]) / normaliser))
        found.append(loss)
    return torch.tensor(found, dtype=torch.float64)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_divergence_is_that_of_loops() -> None:
    logits, maps = drawn(3, 4, 5), drawn(3, 4, 5, seed=1).relu()
    maps[2] = 0  # without any heat there is nothing to learn
    found = divergence(logits, maps)
    torch.testing.assert_close(found, by_loops(logits, maps))
    assert found[2] == 0
    counted = drawn(3, 4, 5, seed=2) > 0
    torch.testing.assert_close(divergence(logits, maps, counted), by_loops(logits, maps, counted))


def test_gradients_are_finite_where_nothing_is_hot_or_counted() -> None:
    logits, maps = drawn(2, 5).requires_grad_(), drawn(2, 5, seed=1).relu()
    maps[1] = 0
    counted = torch.tensor([[True, True, True, False, False]] * 2)
    [slopes] = torch.autograd.grad(divergence(logits, maps, counted).sum(), logits)
    assert slopes.isfinite().all()
    assert (slopes[:, 3:] == 0).all()
    assert (slopes[1] == 0).all()
    assert slopes[0, :3].abs().sum() > 0


Values = NDArray[np.float64]
LOGITS = arrays("float64", (2, 6), elements=st.floats(-20, 20))
# Maps that are learned from have a peak of 1, and are kept in halves: nothing is as small as 1e-30.
MAPS = arrays("float64", (2, 6), elements=st.floats(1e-8, 10) | st.just(0.0))


@given(LOGITS, MAPS, st.floats(-50, 50))
def test_divergence_is_not_negative_and_knows_no_shift(
    logits: Values, maps: Values, by: float
) -> None:
    a, b = torch.from_numpy(logits), torch.from_numpy(maps)
    found = divergence(a, b)
    assert (found >= -1e-9).all()
    torch.testing.assert_close(divergence(a + by, b), found, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(divergence(a, 3 * b), found, rtol=1e-7, atol=1e-7)


@given(LOGITS)
def test_divergence_is_zero_if_and_only_if_shares_are_equal(logits: Values) -> None:
    a = torch.from_numpy(logits)
    b = a.softmax(1)
    torch.testing.assert_close(divergence(a, b), torch.zeros(2).double(), rtol=0, atol=1e-7)
    hotter = b.clone()
    hotter[:, 0] += 0.5
    other = (hotter / hotter.sum(1, keepdim=True) - b).abs().amax(1) > 1e-3
    assert (divergence(a, hotter)[other] > 0).all()


@given(LOGITS, MAPS, arrays("float64", (2, 3), elements=st.floats(-20, 20)))
def test_what_stands_at_padding_is_ignored(logits: Values, maps: Values, behind: Values) -> None:
    a, b, more = (torch.from_numpy(values) for values in (logits, maps, behind))
    counted = torch.tensor([True] * 6 + [False] * 3).expand(2, 9)
    padded = divergence(torch.cat([a, more], 1), torch.cat([b, more.abs()], 1), counted)
    torch.testing.assert_close(padded, divergence(a, b), rtol=1e-9, atol=1e-9)


def net() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    return nn.Sequential(*layers).double().eval()


def literal(
    model: nn.Module, x: Tensor, a: Tensor, label: int, beta: float, noise: Tensor, softmax: bool
) -> float:
    """Return the loss of one input (C, H, W) as sections 4 and 12 of docs/METHOD.md write it."""
    scale = x.square().mean().sqrt()
    mask, prior = a.sigmoid().clamp(0, MAX_LAMBDA).expand_as(x), 0.5
    z = mask * x + (1 - mask) * scale * noise
    logits = model(z[None])[0]
    loss = -(logits.log_softmax(0) if softmax else logits.sigmoid().log())[label]
    scaled = x / scale
    # The prior's distribution of the input is N(prior * x, (1 − prior)²), both sides over x itself.
    mean = mask * (1 - prior) * scaled / (1 - prior * mask)
    variance = ((1 - mask) / (1 - prior * mask)) ** 2
    capacity = -0.5 * (1 + variance.log() - mean**2 - variance)
    return float(loss + beta * capacity.mean())


@pytest.mark.parametrize("softmax", [True, False])
def test_behind_noise_is_the_loss_of_the_method(softmax: bool) -> None:
    model, x, a = net(), 2 * drawn(3, 2, 4, 4), drawn(3, 1, 4, 4, seed=1)
    labels = torch.tensor([2, 0, 1])
    torch.manual_seed(5)
    with torch.no_grad():
        found = behind_noise(
            Classifier(model), VisionModality(), x, NO_TOKENS, a, labels, 7.0, softmax
        )
        torch.manual_seed(5)
        noise = torch.randn_like(x)
        expected = [
            literal(model, x[i], a[i], int(labels[i]), 7.0, noise[i], softmax) for i in range(3)
        ]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_behind_noise_has_gradients_of_the_mask_and_none_of_a_frozen_classifier() -> None:
    model, x, a = net(), drawn(2, 2, 4, 4), drawn(2, 1, 4, 4, seed=1).requires_grad_()
    runner = Classifier(model)
    with runner.frozen():
        loss = behind_noise(runner, VisionModality(), x, NO_TOKENS, a, torch.tensor([0, 1]), 1.0)
        loss.sum().backward()  # type: ignore[no-untyped-call]
    assert a.grad is not None
    assert a.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in model.parameters())


def test_of_texts_padding_neither_counts_nor_changes() -> None:
    model = TinyLSTM(2).double().eval()
    modality = TextModality(pad=PAD)
    ids = sentences(3, seed=1)
    labels = torch.tensor([0, 1, 0])

    def losses(x: Tensor, tokens: Behind, a: Tensor) -> Tensor:
        runner = Classifier(model, run=modality.run)
        torch.manual_seed(3)
        with torch.no_grad():
            return behind_noise(runner, modality, x, tokens, a, labels, 5.0)

    x, tokens = modality.enter(model, ids)
    a = drawn(3, x.shape[1], 1)
    counted = tokens.counted
    assert counted is not None
    assert not counted.all()
    hot = torch.where(counted, a, a + 4)
    torch.testing.assert_close(losses(x, tokens, hot), losses(x, tokens, a))
