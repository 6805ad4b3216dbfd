"""Targets as objects: what each asks, how well it is met, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.targets import (
    BoxTarget,
    ClassTarget,
    ContrastTarget,
    EmbeddingTarget,
    Facts,
    MultiLabelTarget,
    Question,
    RegressionTarget,
    SegmentTarget,
    SpanTarget,
    Target,
    TokenTarget,
    default_target,
    family_of,
    target_losses,
)
from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError, ConfigError

NAMES = ("cat", "dog", "cow")
FACTS = Facts(NAMES, size=(8, 8))
LOGITS = torch.tensor([2.0, 1.0, -1.0])
IMAGES = torch.zeros(2, 3, 8, 8)


def draws(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def met(question: Question, answers: Tensor) -> Tensor:
    return (-question.loss(answers)).exp()


def test_a_class_is_met_by_its_probability() -> None:
    question = ClassTarget("dog").settle(LOGITS, FACTS)
    assert (question.name, question.label) == ("dog", 1)
    torch.testing.assert_close(met(question, draws(4, 3)), draws(4, 3).softmax(1)[:, 1])
    assert ClassTarget().settle(LOGITS, FACTS).label == 0
    assert ClassTarget().about(2) == ClassTarget(2)
    assert ClassTarget("dog").about(2) == ClassTarget("dog")


@pytest.mark.parametrize(
    ("target", "a", "b"),
    [
        (ContrastTarget(), 0, 1),
        (ContrastTarget("cow"), 2, 0),
        (ContrastTarget(b="cat"), 1, 0),
        (ContrastTarget(2, "dog"), 2, 1),
        (ContrastTarget().about(1), 1, 0),
    ],
)
def test_a_contrast_is_met_by_the_share_of_two_probabilities(
    target: Target, a: int, b: int
) -> None:
    question = target.settle(LOGITS, FACTS)
    assert question.name == f"{NAMES[a]} rather than {NAMES[b]}"
    assert question.label is None
    chances = draws(4, 3).softmax(1)
    expected = chances[:, a] / (chances[:, a] + chances[:, b])
    torch.testing.assert_close(met(question, draws(4, 3)), expected)


def test_a_contrast_asks_about_the_class_of_the_data_set_unless_that_is_the_other() -> None:
    assert ContrastTarget().about(2) == ContrastTarget(2)
    assert ContrastTarget(b=1).about(2) == ContrastTarget(2, 1)
    assert ContrastTarget(b=1).about(1) == ContrastTarget(b=1)
    assert ContrastTarget(a=0).about(2) == ContrastTarget(a=0)


def test_targets_read_their_part_of_what_a_model_returns() -> None:
    logits, values = draws(2, 3), draws(2)
    torch.testing.assert_close(ClassTarget().answer({"logits": logits}, IMAGES), logits)
    regression = RegressionTarget(1.0)
    torch.testing.assert_close(regression.answer(values, IMAGES), values[:, None])
    torch.testing.assert_close(regression.answer({"prediction": logits}, IMAGES), logits)


def test_a_contrast_of_one_logit_is_that_of_its_two_classes() -> None:
    question = ContrastTarget().settle(torch.tensor([0.5]), Facts())
    torch.testing.assert_close(met(question, torch.tensor([[0.7]])), torch.tensor([1.4]).sigmoid())


def test_several_classes_are_met_by_all_of_them() -> None:
    question = MultiLabelTarget(("cat", 2)).settle(LOGITS, FACTS)
    assert question.name == "cat and cow"
    rows = torch.tensor([1.0, 0, 1]).expand(4, 3)
    expected = F.binary_cross_entropy_with_logits(draws(4, 3), rows, reduction="none").mean(1)
    torch.testing.assert_close(question.loss(draws(4, 3)), expected)
    assert MultiLabelTarget().settle(LOGITS, FACTS).name == "cat and dog"


def dense() -> Tensor:
    """Dense logits (3, 4, 4): background, dog in the upper left quarter, cow in one corner."""
    logits = torch.zeros(3, 4, 4)
    logits[0] = 1.0
    logits[1, :2, :2] = 3.0
    logits[2, 3, 3] = 3.0
    return logits


def test_a_segment_is_met_by_the_geometric_mean_of_its_probabilities() -> None:
    facts = Facts(("background", "dog", "cow"), size=(8, 8))
    question = SegmentTarget().settle(dense(), facts)  # the largest that is not background
    assert question.name == "segment of dog"
    chances = draws(5, 3, 4, 4).softmax(1)[:, 1, :2, :2]
    torch.testing.assert_close(met(question, draws(5, 3, 4, 4)), chances.log().mean((1, 2)).exp())
    assert SegmentTarget("cow").settle(dense(), facts).name == "segment of cow"
    assert SegmentTarget().settle(dense(), Facts(NAMES)).name == "segment of cat"


def test_a_region_is_given_in_pixels_of_the_input() -> None:
    mask = torch.zeros(8, 8)
    mask[:4, :2] = 1  # two of the 4 × 4 positions
    chances = draws(1, 3, 4, 4).softmax(1)[:, 2, :2, :1].log().mean((1, 2)).exp()
    for region in (mask, (0, 0, 2, 4)):
        question = SegmentTarget("cow", region).settle(dense(), FACTS)
        assert question.name == "cow in a region"
        torch.testing.assert_close(met(question, draws(1, 3, 4, 4)), chances)


def queries() -> dict[str, Tensor]:
    boxes = torch.tensor([[0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 0.5, 0.5], [0.5, 0.5, 0.1, 0.1]])
    logits = torch.tensor([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 5.0]])
    return {"logits": logits.expand(2, 3, 3), "pred_boxes": boxes.expand(2, 3, 4)}


def test_a_box_is_met_by_score_times_overlap() -> None:
    images = torch.zeros(2, 3, 8, 8)
    answers = BoxTarget().answer(queries(), images)
    chances = queries()["logits"][0].softmax(1)
    surest = BoxTarget().settle(answers[0], FACTS)
    assert surest.name == "cat in box (0, 0, 4, 4)"
    torch.testing.assert_close(met(surest, answers), chances[0, 0].expand(2))
    # Half of the box asked about, so the IoU is a half.
    half = BoxTarget((4, 4, 8, 6)).settle(answers[0], FACTS)
    assert half.name == "dog in box (4, 4, 8, 6)"
    torch.testing.assert_close(met(half, answers), 0.5 * chances[1, 1].expand(2))
    nowhere = BoxTarget((7, 0, 8, 1), "cat").settle(answers[0], FACTS)
    assert met(nowhere, answers).max() < 0.001


def test_detections_after_suppression_are_read_too() -> None:
    images = torch.zeros(2, 3, 8, 8)
    found = {
        "boxes": torch.tensor([[0.0, 0, 4, 4], [4, 4, 8, 8]]),
        "labels": torch.tensor([1, 2]),
        "scores": torch.tensor([0.9, 0.6]),
    }
    nothing = {
        "boxes": torch.zeros(0, 4),
        "labels": torch.zeros(0).long(),
        "scores": torch.zeros(0),
    }
    answers = BoxTarget().answer([found, nothing], images)
    question = BoxTarget(label=2).settle(answers[0], FACTS)
    assert question.name == "cow in box (4, 4, 8, 8)"
    torch.testing.assert_close(met(question, answers[:1]), torch.tensor([0.6]))
    assert met(question, answers[1:]).item() < 0.001
    empty = BoxTarget().answer([nothing, nothing], images)
    with pytest.raises(AttributionError, match="detects nothing"):
        BoxTarget().settle(empty[0], FACTS)
    assert met(BoxTarget((0, 0, 4, 4), 1).settle(empty[0], FACTS), empty).max() < 0.001


def test_an_embedding_is_met_by_its_cosine() -> None:
    vectors = draws(6, 5)
    question = EmbeddingTarget(vectors[0] + 0.1).settle(vectors[1], FACTS)
    cosine = F.cosine_similarity(vectors, vectors[:1] + 0.1)
    near = cosine > 0.3
    torch.testing.assert_close(met(question, vectors)[near], cosine[near], atol=2e-3, rtol=0)
    assert met(question, vectors)[cosine < 0].max() < 0.05
    own = EmbeddingTarget().settle(vectors[2], FACTS)
    torch.testing.assert_close(met(own, vectors[2:3]), torch.ones(1))


def test_an_encoders_vectors_are_averaged_over_each_text() -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 1]])
    states = draws(2, 3, 4)
    found = EmbeddingTarget().answer({"last_hidden_state": states}, states, Tokens.of(ids))
    torch.testing.assert_close(found, torch.stack([states[0].mean(0), states[1, :2].mean(0)]))


def test_tokens_are_met_by_the_geometric_mean_of_their_probabilities() -> None:
    answer, facts = draws(4, 6), Facts(length=3)  # the last position is padding
    question = TokenTarget((0, -1), (5, 2)).settle(answer, facts)
    assert question.name == "5 at 0, 2 at 2"
    chances = answer.softmax(1)
    expected = (chances[0, 5] * chances[2, 2]).sqrt()
    torch.testing.assert_close(met(question, answer[None])[0], expected)
    best = TokenTarget().settle(answer, facts)
    assert best.name == f"{int(answer[2].argmax())} at 2"


def test_a_span_ignores_padding() -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, 1]])
    returned = {"start_logits": draws(2, 3), "end_logits": draws(2, 3).flip(0)}
    answers = SpanTarget().answer(returned, draws(2, 3, 4), Tokens.of(ids))
    short = answers[1]
    question = SpanTarget(0, 1).settle(short, Facts(length=2))
    start, end = (returned[f"{name}_logits"][1, :2].softmax(0) for name in ("start", "end"))
    torch.testing.assert_close(met(question, short[None])[0], (start[0] * end[1]).sqrt())


def test_a_span_does_not_end_before_it_begins() -> None:
    answer = torch.tensor([[0.0, 0.0, 9.0, 1.0], [9.0, 0.0, 0.0, 2.0]])
    assert SpanTarget().settle(answer, FACTS).name == "answer from token 2 to 3"
    assert SpanTarget(end=1).settle(answer, FACTS).name == "answer from token 0 to 1"
    assert SpanTarget(1).settle(answer, FACTS).name == "answer from token 1 to 3"
    with pytest.raises(ConfigError, match=r"target\.start is 3, behind target\.end, 1"):
        SpanTarget(3, 1).settle(answer, FACTS)


@given(st.integers(0, 10**6), st.floats(0.1, 30))
def test_whatever_is_answered_lies_between_not_met_and_met(seed: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(3, 4, generator=generator)
    boxes = torch.rand(2, 3, 2, generator=generator) * 8
    corners = torch.cat([boxes, boxes + 1 + torch.rand(2, 3, 2, generator=generator)], -1)
    scores = torch.randn(2, 3, 3, generator=generator).log_softmax(-1)
    cases: list[tuple[Target, Tensor]] = [
        (ClassTarget(), logits),
        (ContrastTarget(), logits),
        (MultiLabelTarget(), logits),
        (RegressionTarget(0.5, index=2), logits),
        (EmbeddingTarget(logits[2]), logits),
        (SegmentTarget(1), scale * torch.randn(2, 3, 4, 4, generator=generator)),
        (TokenTarget((0, 1)), scale * torch.randn(2, 3, 5, generator=generator)),
        (BoxTarget(), torch.cat([corners, scores], -1)),
    ]
    for target, answers in cases:
        found = met(target.settle(answers[0], FACTS), answers)
        assert bool(((found >= 0) & (found <= 1 + 1e-5)).all()), target


OUTPUTS: dict[str, tuple[Any, Tensor, type[Target] | None]] = {
    "logits": (torch.zeros(2, 3), IMAGES, None),
    "dense": ({"out": torch.zeros(2, 3, 4, 4), "aux": 0}, IMAGES, SegmentTarget),
    "queries": (queries(), IMAGES, BoxTarget),
    "detections": ([{"boxes": torch.zeros(0, 4)}] * 2, IMAGES, BoxTarget),
    "span": ({"start_logits": 0, "end_logits": 0}, torch.zeros(2, 3, 4), SpanTarget),
    "tokens": ({"logits": torch.zeros(2, 3, 9)}, torch.zeros(2, 3, 4), TokenTarget),
    "encoder": ({"last_hidden_state": torch.zeros(2, 3, 9)}, torch.zeros(2, 3, 4), EmbeddingTarget),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_output_suggests_a_question(name: str) -> None:
    returned, inputs, expected = OUTPUTS[name]
    found = default_target(returned, inputs)
    assert (None if found is None else type(found)) is expected


REFUSED: dict[str, tuple[Target, Tensor, str]] = {
    "contrast": (ContrastTarget("cat", 0), LOGITS, "two classes; got 'cat' twice"),
    "name": (ContrastTarget("cta"), LOGITS, "Closest: 'cat'"),
    "mask": (SegmentTarget(1, torch.ones(3, 3)), dense(), r"expected that of the input, \(8, 8\)"),
    "empty mask": (SegmentTarget(1, torch.zeros(8, 8)), dense(), "marks no pixel"),
    "box": (BoxTarget((4, 0, 2, 2)), torch.zeros(1, 7), "left < right"),
    "index": (RegressionTarget(1, index=3), LOGITS, "puts out 3 values"),
    "reference": (EmbeddingTarget([1.0]), LOGITS, "1 numbers, and the model's embedding 3"),
    "positions": (TokenTarget((4,)), torch.zeros(4, 2), "from -4 to 3"),
    "ids": (TokenTarget((0,), (7,)), torch.zeros(4, 2), "one of 0 to 1 for each of 1 positions"),
    "span": (SpanTarget(9), torch.zeros(2, 4), "from 0 to 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name: str) -> None:
    target, answer, message = REFUSED[name]
    with pytest.raises(ConfigError, match=message):
        target.settle(answer, FACTS)


@pytest.mark.parametrize(
    "target", [SegmentTarget(), BoxTarget(), TokenTarget(), SpanTarget(), EmbeddingTarget()]
)
def test_an_output_that_a_target_cannot_read_is_named(target: Target) -> None:
    with pytest.raises(AttributionError, match=f"{target.type} expects"):
        target.answer({"heat": torch.zeros(2)}, IMAGES)


def test_targets_of_one_call_are_about_one_answer() -> None:
    assert family_of([1, ContrastTarget(), None]) is None
    assert family_of([SegmentTarget(1), SegmentTarget(2)]) == SegmentTarget(1)
    with pytest.raises(ConfigError, match="SegmentTarget and a class cannot be asked in one call"):
        family_of([SegmentTarget(1), 3])


def test_losses_of_several_kinds_are_asked_together() -> None:
    answers = LOGITS.expand(3, 3)
    losses = target_losses([1, ContrastTarget(0), lambda z: z[:, 0]], answers, FACTS)
    assert losses.labels == (1, None, None)
    found = losses.met(losses(answers[:, None])[:, 0])
    assert found[0].item() == pytest.approx(LOGITS.softmax(0)[1].item())
    assert found[1].item() == pytest.approx(1 / (1 + math.exp(-1)))
    assert math.isnan(found[2].item())
