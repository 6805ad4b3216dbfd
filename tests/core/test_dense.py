"""A region of the input, at whatever resolution the logits have."""

from __future__ import annotations

import torch

from input_iba.core.targets import Facts, SegmentTarget
from input_iba.core.targets.tokens import TokenTarget


def shares(mask: torch.Tensor, side: int) -> torch.Tensor:
    """Return how much each position of logits weighs in the loss: its gradient there."""
    answer = torch.zeros(2, side, side, requires_grad=True)
    question = SegmentTarget(label=1, mask=mask).settle(answer.detach(), Facts(size=mask.shape))
    assert question.name == "class 1 in a region"
    question.loss(answer[None]).sum().backward()  # type: ignore[no-untyped-call]
    assert answer.grad is not None
    return -2 * answer.grad[1]  # each position's log-probability has slope ½ in its logit


def test_coarse_logits_weigh_by_the_share_of_their_pixels_in_the_mask() -> None:
    mask = torch.zeros(8, 8)
    mask[0, :4] = 1  # a quarter of the first of four blocks
    mask[4:, 4:] = 1  # all of the last
    expected = torch.tensor([[0.25, 0.0], [0.0, 1.0]]) / 1.25
    torch.testing.assert_close(shares(mask, 2), expected)


def test_fine_logits_weigh_where_the_pixels_lie() -> None:
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    found = shares(mask, 4)
    torch.testing.assert_close(found.sum(), torch.tensor(1.0))
    assert found[0, 0] == found.max() > found[0, 1] > found[0, 2] > 0
    assert found[3].abs().max() == found[:, 3].abs().max() == 0


def test_tokens_are_asked_of_logits_per_position() -> None:
    logits = torch.randn(2, 5, 7)
    assert TokenTarget().answer((logits, torch.zeros(2, 7)), torch.zeros(2, 5, 16)) is logits
