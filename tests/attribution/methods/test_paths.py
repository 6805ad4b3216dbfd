"""Gradients along paths against sums written out, and what their maps must add up to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from scipy import ndimage
from torch import Tensor

from input_iba.attribution.methods import (
    BlurIntegratedGradients,
    ExpectedGradients,
    IntegratedGradients,
    MethodAttributor,
    SmoothIntegratedGradients,
)
from input_iba.core.noise import sample_seed
from input_iba.errors import AttributionError
from tests.attribution.methods.settings import explained, samples
from tests.attribution.nets import small_net


def score(x: Tensor, label: int) -> Tensor:
    logits: Tensor = small_net().eval()(x)
    return logits[:, label]


def gradient(x: Tensor, label: int) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(score(x, label).sum(), x)[0]


def generator(sample: int, stage: str) -> torch.Generator:
    return torch.Generator().manual_seed(sample_seed(0, f"s{sample}", stage))


def test_expected_gradients_are_the_mean_over_inputs_drawn_and_points_on_the_way() -> None:
    x, background = samples(2), samples(4, seed=7)
    method = ExpectedGradients(n_samples=9)
    found = explained(small_net(), method, x, [0, 1], background)
    for i, label in enumerate([0, 1]):
        draws = generator(i, "expected_gradients")
        which = torch.empty(9, dtype=x.dtype).uniform_(0, 4, generator=draws).long()
        share = torch.empty(9, dtype=x.dtype).uniform_(0, 1, generator=draws)
        total = torch.zeros_like(x[i])
        for index, along in zip(which, share, strict=True):
            way = x[i] - background[index]
            total += way * gradient((background[index] + along * way)[None], label)[0]
        torch.testing.assert_close(found[i], total.sum(0) / 9)


def test_expected_gradients_add_up_to_the_score_beyond_the_mean() -> None:
    x, background = samples(1), samples(5, seed=7)
    found = explained(small_net(), ExpectedGradients(n_samples=6000), x, [1], background)
    mean = score(background, 1).mean()
    spread = score(background, 1).std()
    assert abs(found.sum() - (score(x, 1)[0] - mean)) < 0.1 * spread


def test_expected_gradients_say_what_they_miss() -> None:
    x, method = samples(1), ExpectedGradients()
    with pytest.raises(AttributionError, match=r"needs at least 1\. Give background"):
        MethodAttributor(small_net(), method).attribute(x)
    other = samples(3)[..., :6]
    with pytest.raises(AttributionError, match=r"\(2, 8, 8\) with a background of shape"):
        MethodAttributor(small_net(), method, background=other).attribute(x)


def test_smooth_integrated_gradients_are_the_mean_over_noisy_copies() -> None:
    x = samples(2)
    method = SmoothIntegratedGradients(n_samples=4, n_steps=6, noise=0.3, fill=0.1)
    found = explained(small_net(), method, x, [0, 1])
    for i, label in enumerate([0, 1]):
        noise = torch.empty(4, *x[i].shape).to(x).normal_(generator=generator(i, method.name))
        copies = x[i] + 0.3 * (x[i].max() - x[i].min()) * noise
        one = IntegratedGradients(n_steps=6, fill=0.1)
        each = [explained(small_net(), one, copy[None], [label])[0] for copy in copies]
        torch.testing.assert_close(found[i], torch.stack(each).mean(0))


def steps(x: Tensor, largest: float, count: int) -> list[tuple[Tensor, Tensor]]:
    """Return the input in the middle of each step out of blur, and how the step changes it."""

    def blurred(sigma: float) -> Tensor:
        kept: Any = ndimage.gaussian_filter(x, (0, 0, sigma, sigma), mode="mirror", truncate=4.0)
        return torch.from_numpy(kept)

    sigmas = [largest * (1 - i / count) for i in range(count + 1)]
    return [(blurred((a + b) / 2), blurred(b) - blurred(a)) for a, b in pairwise(sigmas)]


def test_blurred_integrated_gradients_are_a_sum_along_the_way_out_of_blur() -> None:
    x = samples(1)
    found = explained(small_net(), BlurIntegratedGradients(n_steps=7, blur=0.25), x, [2])
    expected = torch.zeros_like(x)
    for middle, change in steps(x, 2.0, 7):
        expected += gradient(middle, 2) * change
    # scipy cuts its kernel a pixel earlier or later where four deviations are not whole.
    torch.testing.assert_close(found, expected.sum(1), rtol=1e-2, atol=1e-3)


def test_blurred_integrated_gradients_add_up_to_the_difference_of_scores() -> None:
    x = samples(2)
    found = explained(small_net(), BlurIntegratedGradients(n_steps=400, blur=0.25), x, [0, 1])
    for i, label in enumerate([0, 1]):
        [(start, _)] = steps(x[i : i + 1], 4.0, 1)  # the middle of 4 and 0
        expected = score(x[i : i + 1], label) - score(start, label)
        assert found[i].sum().item() == pytest.approx(expected.item(), rel=2e-2, abs=1e-3)
