"""Critics: stacking changes nothing, small maps work, the global random state is left alone."""

import pytest
import torch

from input_iba.core.critics import StackedCritics, VisionCritic, build_critics


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
