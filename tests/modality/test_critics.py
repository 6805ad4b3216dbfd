"""Critics: stacking changes nothing, small maps work, the global random state is left alone."""

import pytest
import torch
from torch import nn

from input_iba.modality.critics import StackedCritics, TextCritic, VisionCritic, build_critics


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 7), (4, 4), (9, 5)])
def test_stacked_critics_score_as_each_alone(size: tuple[int, int]) -> None:
    critics = build_critics(lambda: VisionCritic(2, *size), [5, 6, 7], torch.zeros(1).double())
    features = torch.randn(3, 4, 2, *size, dtype=torch.float64)
    together = critics(features)
    assert together.shape == (3, 4)
    for s, seed in enumerate([5, 6, 7]):
        alone = build_critics(lambda: VisionCritic(2, *size), [seed], features)
        torch.testing.assert_close(alone(features[s : s + 1])[0], together[s], rtol=0, atol=1e-12)


def test_gradients_stay_with_their_sample() -> None:
    critics = build_critics(lambda: VisionCritic(2, 4, 4), [1, 2], torch.zeros(1))
    critics(torch.randn(2, 4, 2, 4, 4)).mean(1)[0].backward()  # type: ignore[no-untyped-call]
    for value in critics.parameters.values():
        assert value.grad is not None
        assert value.grad[1].abs().max() == 0
    assert any(
        v.grad is not None and v.grad[0].abs().max() > 0 for v in critics.parameters.values()
    )


def test_clip_bounds_every_weight() -> None:
    critics = StackedCritics([VisionCritic(2, 4, 4)])
    critics.clip(0.01)
    assert max(v.abs().max().item() for v in critics.parameters.values()) <= 0.01


def test_the_global_random_state_is_left_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    build_critics(lambda: VisionCritic(2, 4, 4), [1], torch.zeros(1))
    assert torch.equal(torch.rand(2), expected)


def test_the_text_critic_is_an_lstm_on_the_scored_tokens_alone() -> None:
    critic = TextCritic(3, width=5).double()
    lstm = nn.LSTM(3, 5, batch_first=True).double()
    with torch.no_grad():
        weights = (critic.into.T, critic.again.T, critic.bias, torch.zeros(20))
        for own, value in zip(lstm.parameters(), weights, strict=True):
            own.copy_(value)
    features = torch.randn(4, 6, 3, dtype=torch.float64)
    scored = torch.tensor([True, True, False, True, False, False])
    _, (hidden, _) = lstm(features[:, scored])
    torch.testing.assert_close(critic(features, scored), critic.head(hidden[-1])[:, 0])


def test_stacked_text_critics_score_as_each_alone() -> None:
    critics = build_critics(lambda: TextCritic(3), [5, 6], torch.zeros(1).double())
    features = torch.randn(2, 4, 6, 3, dtype=torch.float64)
    scored = torch.rand(2, 6) < 0.6
    together = critics(features, scored)
    for s, seed in enumerate([5, 6]):
        alone = build_critics(lambda: TextCritic(3), [seed], features)
        score = alone(features[s : s + 1], scored[s : s + 1])[0]
        torch.testing.assert_close(score, together[s], rtol=0, atol=1e-12)
