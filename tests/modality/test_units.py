"""Pixels and words that are hidden: what the classifier is given, and what it says."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.core.smoothing import gaussian_smooth
from input_iba.modality.units import Pixels, Words, units_of
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
