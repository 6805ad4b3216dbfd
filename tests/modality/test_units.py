"""Pixels and words that are hidden: what the classifier is given, and what it says."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from input_iba.core.smoothing import gaussian_smooth
from input_iba.errors import EvaluationError
from input_iba.modality.units import Pixels, Words, replacing, units_of, without_words
from input_iba.records import TextSample


def as_logits(inputs: Tensor) -> Tensor:
    return inputs.flatten(1)


def test_hidden_pixels_become_0_or_blurred_in_all_channels() -> None:
    images = torch.rand(2, 3, 2, 4)
    hidden = torch.zeros(3, 8, dtype=torch.bool)
    hidden[0, 5] = hidden[2, :2] = True
    of = torch.tensor([1, 0, 1])
    pixels = Pixels(as_logits, images)
    assert (pixels.name, pixels.size, pixels.scored.shape) == ("pixels", (2, 4), (2, 8))
    expected = images[of].clone()
    expected[0, :, 1, 1] = expected[2, :, 0, :2] = 0
    assert torch.equal(pixels.logits(of, hidden), expected.flatten(1))
    smooth = gaussian_smooth(images, 2.0)[of]
    expected[0, :, 1, 1], expected[2, :, 0, :2] = smooth[0, :, 1, 1], smooth[2, :, 0, :2]
    assert torch.equal(pixels.blurred(2.0).logits(of, hidden), expected.flatten(1))


def test_one_image_is_hidden_in_many_ways_at_once() -> None:
    image, hidden = torch.rand(1, 1, 2, 2), torch.eye(4, dtype=torch.bool)
    found = Pixels(as_logits, image).logits(torch.zeros(4, dtype=torch.int64), hidden)
    assert torch.equal(found, image.flatten().repeat(4, 1).masked_fill(hidden, 0))


def test_hidden_words_lose_their_embedding_and_nothing_blurs_them() -> None:
    tokens, given = torch.tensor([[3, 4], [5, 6]]), list[tuple[Tensor, Tensor]]()

    def classify(ids: Tensor, keep: Tensor) -> Tensor:
        given.append((ids, keep))
        return ids.sum(1).float()

    words = Words(classify, tokens, torch.ones_like(tokens, dtype=torch.bool))
    hidden = torch.tensor([[True, False]])
    logits = words.blurred(5.0).logits(torch.tensor([1]), hidden)
    assert logits.tolist() == [[11.0]]  # one logit, in a column
    [(ids, keep)] = given
    assert (ids.tolist(), keep.tolist()) == ([[5, 6]], [[False, True]])


def test_pieces_of_a_word_are_hidden_together_and_special_tokens_never() -> None:
    sample = TextSample(
        "a", torch.tensor([2, 7, 8, 9, 3]), tokens=("flatly", "dull"), words=(-1, 0, 0, 1, -1)
    )
    kept = list[Tensor]()

    def classify(ids: Tensor, keep: Tensor) -> Tensor:
        kept.append(keep)
        return torch.zeros(len(ids), 2)

    units = units_of(sample, classify)
    assert (units.size, units.scored.tolist()) == ((2,), [[True, True]])
    units.logits(torch.tensor([0, 0]), torch.tensor([[True, False], [True, True]]))
    assert kept[0].int().tolist() == [[1, 0, 0, 1, 1], [1, 0, 0, 0, 1]]


class Recorded:
    """A classifier that keeps what it is given."""

    def __init__(self) -> None:
        self.ids: list[list[int]] = []
        self.kept: list[list[bool]] = []

    def __call__(self, ids: Tensor, keep: Tensor) -> Tensor:
        self.ids, self.kept = ids.tolist(), keep.tolist()
        return torch.zeros(len(ids), 2)


PIECES = TextSample(
    "a",
    torch.tensor([2, 7, 8, 9, 3]),
    tokens=("flatly", "dull"),
    words=(-1, 0, 0, 1, -1),
    pad=6,
    mask=4,
)


@pytest.mark.parametrize(
    ("how", "ids", "all_kept"),
    [
        ("zero", [[2, 7, 8, 9, 3]] * 3, False),
        ("mask", [[2, 4, 4, 9, 3], [2, 4, 4, 4, 3], [2, 7, 8, 9, 3]], True),
        ("remove", [[2, 9, 3, 6, 6], [2, 3, 6, 6, 6], [2, 7, 8, 9, 3]], True),
    ],
)
def test_what_stands_in_the_place_of_words(how: str, ids: list[list[int]], all_kept: bool) -> None:
    classify = Recorded()
    hidden = torch.tensor([[True, False], [True, True], [False, False]])
    units_of(PIECES, classify, how).logits(torch.zeros(3, dtype=torch.int64), hidden)
    assert classify.ids == ids
    assert all(map(all, classify.kept)) == all_kept


def test_a_text_of_which_nothing_is_left_is_one_token_of_padding() -> None:
    classify = Recorded()
    sample = TextSample("a", torch.tensor([5, 6]), tokens=("so", "dull"), pad=1)
    units_of(sample, classify, "remove").logits(torch.tensor([0]), torch.tensor([[True, True]]))
    assert classify.ids == [[1]]


@given(st.data())
def test_what_is_left_keeps_its_order(data: st.DataObject) -> None:
    rows, length = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    flags = st.lists(st.booleans(), min_size=length, max_size=length)
    keep = data.draw(st.lists(flags, min_size=rows, max_size=rows))
    ids = torch.randint(2, 9, (rows, length), generator=torch.Generator().manual_seed(0))
    found = without_words(ids, torch.tensor(keep), pad_index=1).tolist()
    assert len(found[0]) == max(1, *map(sum, keep))
    for row, kept, text in zip(found, keep, ids.tolist(), strict=True):
        left = [id_ for id_, stays in zip(text, kept, strict=True) if stays]
        assert row == left + [1] * (len(row) - len(left))


def test_what_cannot_replace_words_is_refused() -> None:
    with pytest.raises(EvaluationError, match="one of zero, mask, remove; got 'masks'"):
        replacing(Recorded(), "masks", 1)
    with pytest.raises(EvaluationError, match="neither a mask token nor"):
        units_of(TextSample("a", torch.tensor([5]), tokens=("so",)), Recorded(), "mask")
