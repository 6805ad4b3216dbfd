"""Values of word pieces become values of words; maps of a text have a value per word."""

from typing import Any

import pytest
import torch

from input_iba.records import ImageSample, TextSample, held_behind


def text(words: tuple[int, ...] | None) -> TextSample:
    return TextSample("a", torch.arange(5), tokens=("fine", "film"), words=words)


@pytest.mark.parametrize(("merge", "expected"), [("mean", [1.0, 3.0]), ("max", [1.0, 5.0])])
def test_pieces_are_merged_and_special_tokens_left_out(merge: str, expected: list[float]) -> None:
    values = torch.tensor([9.0, 1.0, 5.0, 1.0, 9.0])
    assert text((-1, 0, 1, 1, -1)).per_unit(values, merge).tolist() == expected


def test_words_and_pixels_stay_as_they_are() -> None:
    values = torch.rand(5)
    assert text(None).per_unit(values) is values
    image = ImageSample("a", torch.rand(3, 4, 6), image=torch.zeros(3, 4, 6, dtype=torch.uint8))
    assert image.per_unit(values) is values
    assert (text(None).map_size, image.map_size) == ((2,), (4, 6))


@pytest.mark.parametrize(
    ("target", "losses", "held"),
    [
        (1, {"input_iba/target": torch.tensor([3.0, 0.0])}, 1.0),
        (1, {"input_iba/target": torch.tensor([0.0, 4.6])}, 0.01),
        (1, {"input_iba/target": [0.1, 4.6]}, 0.01),
        (1, {"input_iba/target": [0.1, None]}, 1.0),
        (None, {"input_iba/target": torch.tensor([-7.0])}, 1.0),
        (1, {}, 1.0),
    ],
)
def test_a_record_knows_how_far_its_target_holds_behind_the_bottleneck(
    target: int | None, losses: Any, held: float
) -> None:
    assert held_behind(target, losses) == pytest.approx(held, rel=0.01)
