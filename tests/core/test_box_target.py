"""What detectors return, as boxes with the logarithms of their classes' scores."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from input_iba.core.targets import BoxTarget, Facts
from input_iba.errors import AttributionError

IMAGES = torch.zeros(2, 3, 10, 20)


def detected(label: int, score: float, *edges: float) -> dict[str, Tensor]:
    boxes, labels = torch.tensor([edges]), torch.tensor([label])
    return {"boxes": boxes, "labels": labels, "scores": torch.tensor([score])}


def test_detections_of_torchvision_have_a_column_for_every_class_of_the_batch() -> None:
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0).long(), "scores": torch.zeros(0)}
    returned = [detected(1, 0.5, 0, 0, 4, 4), detected(2, 0.25, 1, 1, 5, 5), empty]
    answer = BoxTarget().answer(returned, torch.zeros(3, 3, 10, 20))
    assert answer.shape == (3, 1, 4 + 3)
    assert answer[0, 0, :4].tolist() == [0, 0, 4, 4]
    torch.testing.assert_close(answer[0, 0, 5].exp(), torch.tensor(0.5))
    torch.testing.assert_close(answer[1, 0, 6].exp(), torch.tensor(0.25))
    assert max(answer[0, 0, 4], answer[0, 0, 6], answer[1, 0, 5]) < -10


def test_shares_of_the_image_become_pixels_and_no_object_is_no_class() -> None:
    logits = torch.tensor([[[2.0, 0.0, 1.0]]])
    boxes = torch.tensor([[[0.5, 0.5, 0.2, 0.4]]])  # middle, and size
    answer = BoxTarget().answer({"logits": logits, "pred_boxes": boxes}, IMAGES[:1])
    torch.testing.assert_close(answer[0, 0, :4], torch.tensor([8.0, 3.0, 12.0, 7.0]))
    torch.testing.assert_close(answer[0, 0, 4:], logits[0, 0].log_softmax(-1)[:2])


@pytest.mark.parametrize("missing", ["logits", "pred_boxes"])
def test_what_holds_half_of_a_detection_is_refused(missing: str) -> None:
    parts = {"logits": torch.zeros(1, 2, 3), "pred_boxes": torch.zeros(1, 2, 4)}
    del parts[missing]
    with pytest.raises(AttributionError, match="BoxTarget expects detections"):
        BoxTarget().answer(parts, IMAGES[:1])


def test_a_question_is_met_by_overlap_times_score() -> None:
    answer = BoxTarget().answer([detected(1, 0.5, 0, 0, 4, 4)], IMAGES[:1])
    question = BoxTarget(box=(0, 0, 4, 8), label=1).settle(answer[0], Facts())
    torch.testing.assert_close(question.loss(answer).exp(), torch.tensor([1 / (0.5 * 0.5)]))
    assert question.name == "class 1 in box (0, 0, 4, 8)"
    surest = BoxTarget().settle(answer[0], Facts())
    assert surest.name == "class 1 in box (0, 0, 4, 4)"
    torch.testing.assert_close(surest.loss(answer).exp(), torch.tensor([2.0]))
