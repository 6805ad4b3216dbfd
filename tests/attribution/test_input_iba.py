"""InputIBA: where its mask starts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import InputBottleneck
from tests.attribution.nets import small_attributor, small_net

STILL = 1e-9
"""A learning rate at which the mask stays where it started."""


def start(settings: InputBottleneck, prior_lambda: Tensor) -> Tensor:
    attributor = small_attributor(small_net())
    task = attributor.task(torch.randn(len(prior_lambda), 2, 8, 8, dtype=torch.float64))
    return settings.fit(task, prior_lambda).alpha


@pytest.mark.parametrize("odds", [0.0, 0.1, 2.0])
def test_the_mask_starts_at_its_logit_plus_the_priors_log_odds(odds: float) -> None:
    prior = torch.rand(3, 2, 8, 8, dtype=torch.float64) * 0.8 + 0.1
    found = start(InputBottleneck(initial_alpha=6.0, prior_odds=odds, opt_steps=1, lr=STILL), prior)
    expected = 6.0 + odds * torch.log(prior / (1 - prior))
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_prior_that_is_certain_gives_a_finite_start(value: float) -> None:
    prior = torch.full((2, 2, 8, 8), value, dtype=torch.float64)
    found = start(InputBottleneck(prior_odds=1.0, opt_steps=1, lr=STILL), prior)
    assert (found - 5.0).abs().max() < 5


class Rescaled(nn.Module):
    """A classifier that divides its input by a number of each picture before it reads it."""

    def __init__(self, classifier: nn.Module, scale: Tensor) -> None:
        super().__init__()
        self.classifier, self.scale = classifier, scale

    def forward(self, x: Tensor) -> Tensor:
        copies = -(-len(x) // len(self.scale))
        rows = self.scale.repeat_interleave(copies)[: len(x)]  # also of one picture, or of five
        logits: Tensor = self.classifier(x / rows.view(-1, 1, 1, 1))
        return logits


@pytest.mark.parametrize("relative", [True, False])
def test_relative_noise_does_not_see_the_scale_of_the_input(relative: bool) -> None:
    settings = InputBottleneck(opt_steps=3, relative_noise=relative)
    pictures = torch.randn(2, 2, 8, 8, dtype=torch.float64)
    scale = torch.tensor([0.03, 5.0], dtype=torch.float64)
    prior = torch.rand(2, 2, 8, 8, dtype=torch.float64) * 0.8 + 0.1
    plain, rescaled = (
        settings.fit(small_attributor(net, layer=layer).task(inputs, [0, 1]), prior).alpha
        for net, layer, inputs in (
            (small_net(), "4", pictures),
            (Rescaled(small_net(), scale), "classifier.4", pictures * scale.view(2, 1, 1, 1)),
        )
    )
    assert torch.allclose(plain, rescaled, atol=1e-9) == relative


def test_relative_noise_leaves_a_black_pixel_alone() -> None:
    pictures = torch.randn(1, 2, 8, 8, dtype=torch.float64)
    pictures[..., 0, 0] = 0
    task = small_attributor(small_net()).task(pictures)
    alpha = (
        InputBottleneck(opt_steps=3, relative_noise=True)
        .fit(task, torch.full_like(pictures, 0.5))
        .alpha
    )
    assert bool(alpha.isfinite().all())
