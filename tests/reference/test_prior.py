"""The reference's prior, against values by hand and against torch where it has the same thing."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests import reference
from tests.conftest import Unchanged
from tests.reference.cases import FEATURE_SHAPE, X_SHAPE, close, random, tiny_cnn
from tests.reference.prior import BatchNorm, RMSprop


def test_rmsprop_is_torch_rmsprop() -> None:
    theirs = random(5).requires_grad_()
    ours, target = theirs.detach().clone(), random(5, seed=1)
    optimiser, rmsprop = torch.optim.RMSprop([theirs], lr=0.1), RMSprop([ours], 0.1)
    for _ in range(5):
        optimiser.zero_grad()
        ((theirs - target) ** 4).sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        rmsprop.step([4 * (ours - target) ** 3])
    close(ours, theirs.detach(), rtol=0, atol=1e-12)


def test_layer_output_is_read_before_an_in_place_relu(unchanged: Unchanged) -> None:
    model, x = tiny_cnn(), random(1, *X_SHAPE)
    with unchanged(model):
        output = reference.layer_output(model, "0", x)
    close(output, model[0](x))
    assert (output < 0).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 7), (14, 14)])
def test_critic_scores_maps_of_any_size(size: tuple[int, int]) -> None:
    critic = reference.make_critic(3, *size).double()
    assert critic(random(5, 3, *size)).shape == (5, 1)
    assert [p.shape[0] for p in critic.parameters() if p.ndim > 1] == [6, 12, 3, 512, 256, 1]


def test_batch_norm_is_torch_batch_norm_in_training() -> None:
    inputs, ours = random(4, 3, 2, 5), BatchNorm(3).double()
    theirs = F.batch_norm(inputs, None, None, training=True)
    close(ours(inputs), theirs)


def test_real_samples_by_hand() -> None:
    features, half = torch.tensor([2.0, 4.0]), torch.tensor([0.5, 3.0])
    by_capacity = reference.real_by_capacity(features, half, [0.0, 1.0], [1.0, 2.0], 20)
    noise = torch.tensor([1.0, -1.0])
    assert by_capacity(19, noise).tolist() == [0.5 * 2 + 0.5 * 1, 3 * 4 - 2 * -1]
    assert by_capacity(20, noise).tolist() == [0.5 * 2 + 0.5 * 3, 3 * 4 - 2 * -1]
    by_bottleneck = reference.real_by_bottleneck(
        features,
        torch.tensor([0.25, 0.25]),
        torch.tensor([1.0, 1.0]),
        torch.tensor([2.0, 2.0]),
        torch.tensor([True, False]),
    )
    assert by_bottleneck(0, noise).tolist() == [0.25 * 2 + 0.75 * 3, 0.0]


def run_wgan(
    epochs: int, batch_size: int = 4, weight_clip: float = 0.01
) -> tuple[reference.PriorResult, nn.Module]:
    model, x = tiny_cnn(), random(*X_SHAPE)
    torch.manual_seed(1)
    critic = reference.make_critic(*FEATURE_SHAPE).double()
    half = torch.full(FEATURE_SHAPE, 0.5, dtype=torch.float64)
    features = reference.layer_output(model, "2", x[None])[0].detach()
    result = reference.wgan_prior(
        model,
        "2",
        x,
        random(*X_SHAPE[1:], seed=4),
        critic,
        reference.real_by_bottleneck(features, half, 0 * half, 2 * half, half > 0),
        lambda epoch: torch.randperm(14, generator=torch.Generator().manual_seed(epoch)).tolist(),
        lambda iteration, n: random(n, *FEATURE_SHAPE, seed=200 + iteration),
        lambda iteration, n: random(n, *X_SHAPE, seed=300 + iteration),
        dataset_size=14,
        batch_size=batch_size,
        epochs=epochs,
        critic_iter=3,
        weight_clip=weight_clip,
    )
    return result, critic


def test_wgan_steps_at_the_published_rhythm() -> None:
    result, critic = run_wgan(epochs=2)
    assert len(result.critic_losses) == 2 * 4  # 14 samples in batches of 4, 4, 4, 2
    assert len(result.generator_losses) == 2 * 2  # iterations 0 and 3 of each epoch
    assert max(p.abs().max().item() for p in critic.parameters()) <= 0.01
    assert result.noise_mean.shape == result.noise_std.shape == (2, 1, 1)


def test_wgan_starts_at_the_saliency_with_standard_noise() -> None:
    result, _ = run_wgan(epochs=0)
    close(result.logits, random(*X_SHAPE[1:], seed=4).expand(X_SHAPE))
    close(result.mask, torch.sigmoid(result.logits))
    assert (result.noise_mean == 0).all()
    assert (result.noise_std == 1).all()


def test_one_wgan_iteration_follows_torch_rmsprop() -> None:
    found, found_critic = run_wgan(epochs=1, batch_size=14, weight_clip=0.02)

    model, x = tiny_cnn(), random(*X_SHAPE)
    torch.manual_seed(1)
    critic = reference.make_critic(*FEATURE_SHAPE).double()
    features = model[:3](x[None]).detach()
    real = 0.5 * features + 0.5 * random(14, *FEATURE_SHAPE, seed=200)
    z = random(14, *X_SHAPE, seed=300)
    a = random(*X_SHAPE[1:], seed=4).expand(X_SHAPE).clone().requires_grad_()
    m = torch.zeros(2, 1, 1, dtype=torch.float64, requires_grad=True)
    e = torch.ones(2, 1, 1, dtype=torch.float64, requires_grad=True)
    fake = model[:3](torch.sigmoid(a) * x + (1 - torch.sigmoid(a)) * (e * z + m))
    for_critic = torch.optim.RMSprop(critic.parameters(), lr=5e-5)
    critic_loss = critic(fake.detach()).mean() - critic(real).mean()
    critic_loss.backward()
    for_critic.step()
    for parameter in critic.parameters():
        parameter.data.clamp_(-0.02, 0.02)
    groups = [{"params": [m], "lr": 0.1}, {"params": [e], "lr": 0.05}, {"params": [a], "lr": 0.003}]
    generator_loss = -critic(fake).mean()
    generator_loss.backward()
    torch.optim.RMSprop(groups).step()

    assert found.critic_losses == pytest.approx([critic_loss.item()], rel=1e-12)
    assert found.generator_losses == pytest.approx([generator_loss.item()], rel=1e-12)
    for ours, theirs in ((found.logits, a), (found.noise_mean, m), (found.noise_std, e)):
        assert ours.shape == theirs.shape
        close(ours, theirs.detach(), rtol=0, atol=1e-10)
    for ours, theirs in zip(found_critic.parameters(), critic.parameters(), strict=True):
        close(ours, theirs, rtol=0, atol=1e-10)
    assert (found.noise_mean.abs() > 0.1).all()  # it has gone somewhere: at most 10 · lr
