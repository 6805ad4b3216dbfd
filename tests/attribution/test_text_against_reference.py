"""Text against a literal computation: one sentence, one draw at a time, formulas as printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from input_iba.attribution import FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.core.noise import NoiseSource
from input_iba.records import Attribution
from tests.attribution.text_nets import PAD, TinyLSTM, sentences, text_attributor
from tests.reference import (
    LARGEST_LAMBDA,
    Adam,
    feature_capacity,
    input_capacity,
    mean_cross_entropy,
)

STEPS, DRAWS, BETA, LR, SEED = 5, 3, 15.0, 0.5, 4
Classify = Callable[[Tensor], Tensor]


def behind(net: TinyLSTM, layer: str) -> Classify:
    """Return what maps one sentence's features (T, D) at a layer to logits (classes,)."""
    if layer == "rnn_2":  # the classifier reads the last valid step and nothing else
        return lambda z: net.fc(z[-1])
    return lambda z: net.fc(net.rnn_2(z[None])[1][0][-1, 0])


def fit(
    values: Tensor,
    classify: Classify,
    capacity_of: Callable[[Tensor], Tensor],
    noise_of: Callable[[Tensor], Tensor],
    source: NoiseSource,
    target: int,
) -> tuple[Tensor, Tensor]:
    """Take all steps of a bottleneck; return its α and its capacity in nats, (T, D)."""
    alpha, adam = torch.full_like(values, 5.0), Adam(LR)
    for _ in range(STEPS):
        noise = noise_of(source.normal(DRAWS, *values.shape)[0])
        alpha = alpha.detach().requires_grad_()
        lambda_ = alpha.sigmoid().clamp(0, LARGEST_LAMBDA)
        entropy = mean_cross_entropy(classify, values, lambda_, noise, target)
        loss = entropy + BETA * capacity_of(lambda_).mean()
        (gradient,) = torch.autograd.grad(loss, alpha)
        alpha = adam.step(alpha.detach(), gradient)
    return alpha, capacity_of(alpha.sigmoid().clamp(0, LARGEST_LAMBDA))


@pytest.mark.parametrize("layer", ["rnn_1", "rnn_2"])
def test_a_padded_sentence_goes_the_literal_way(layer: str) -> None:
    net = TinyLSTM(classes=3).double().eval()
    settings = {"batch_size": DRAWS, "opt_steps": STEPS, "beta": BETA, "lr": LR}
    attributor = text_attributor(
        net,
        layer,
        feature_iba=FeatureIBA(**settings),  # type: ignore[arg-type]
        prior=SaliencyPrior(low=0.2, high=0.6),
        input_iba=InputBottleneck(**settings),  # type: ignore[arg-type]
    )
    statistics = attributor.estimate([sentences(30, seed=3)])
    ids = sentences(4, seed=1)
    sample = int((ids != PAD).sum(1).argmin())
    found = attributor.attribute(ids, [2] * 4, ids=list("abcd"), seed=SEED)[sample]

    words = ids[sample][ids[sample] != PAD]
    assert len(words) < ids.shape[1]
    x = net.embedding(words).detach()
    sequence = net.rnn_1(x[None])[0]
    features = (sequence if layer == "rnn_1" else net.rnn_2(sequence)[0])[0].detach()
    mean, std = statistics.mean, statistics.std.clamp_min(0.01)

    def source(stage: str) -> NoiseSource:
        return NoiseSource(["abcd"[sample]], SEED, stage, dtype=torch.float64)

    _, capacity = fit(
        features,
        behind(net, layer),
        lambda mask: feature_capacity(features, mask, mean, std),
        lambda noise: noise * std + mean,
        source("feature_iba"),
        2,
    )
    bits = capacity.sum(1) / torch.log(torch.tensor(2.0).double())
    prior = 0.2 + 0.4 * (bits - bits.min()) / (bits.max() - bits.min())
    alpha, _ = fit(
        x,
        lambda z: net.fc(net.rnn_2(net.rnn_1(z[None])[0])[1][0][-1, 0]),
        lambda mask: input_capacity(x, mask, prior[:, None]),
        lambda noise: noise,
        source("input_iba"),
        2,
    )
    assert isinstance(found, Attribution), found
    torch.testing.assert_close(found.feature_mask, bits, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.prior_mask, prior, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.input_mask, alpha.sigmoid().mean(1), rtol=0, atol=1e-9)
