"""Reviews as word pieces: which end of long ones stays, and to which word a piece belongs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.datasets import IMDBDataset, PieceDataset
from tests.datasets.reviews import write_reviews
from tests.models.tiny_bert import tokenizer

REVIEW = "so fun and so good flatness dull bad"
"""Eight words; 'flatness' is two pieces."""


def pieces(root: Path, keep: str | None, length: int, side: str = "right") -> PieceDataset:
    write_reviews(root, {"train/pos": {"0_9": REVIEW}, "train/neg": {"0_2": "dull"}})
    cuts = tokenizer()
    cuts.truncation_side = side
    return PieceDataset(IMDBDataset(root, keep=keep), cuts, length)


@pytest.mark.parametrize(
    ("keep", "side", "words", "owners"),
    [
        ("first", "left", ("so", "fun", "and", "so"), (-1, 0, 1, 2, 3, -1)),
        ("last", "right", ("ness", "dull", "bad"), (-1, 0, 1, 2, -1)),
        (None, "left", ("flatness", "dull", "bad"), (-1, 0, 0, 1, 2, -1)),
        (None, "right", ("so", "fun", "and", "so", "good"), (-1, 0, 1, 2, 3, 4, -1)),
    ],
)
def test_which_end_of_a_long_review_stays(
    tmp_path: Path, keep: str | None, side: str, words: tuple[str, ...], owners: tuple[int, ...]
) -> None:
    dataset = pieces(tmp_path, keep, len(owners), side)
    sample = dataset[dataset.ids.index("0_9")]
    assert sample.tokens == words
    assert sample.words == owners
    first, last = sample.input[0].item(), sample.input[-1].item()
    assert (first, last) == (dataset.tokenizer.cls_token_id, dataset.tokenizer.sep_token_id)
    assert torch.equal(sample.input, dataset[dataset.ids.index("0_9")].input)


def test_a_short_review_stays_whole(tmp_path: Path) -> None:
    for keep in ("first", "last"):
        dataset = pieces(tmp_path, keep, 40)
        assert dataset[dataset.ids.index("0_9")].tokens == tuple(REVIEW.split())


def test_the_tokenizer_that_was_given_is_not_changed(tmp_path: Path) -> None:
    write_reviews(tmp_path)
    own = tokenizer()
    PieceDataset(IMDBDataset(tmp_path, keep="last"), own, 8)
    assert own.truncation_side == "right"


def test_the_fingerprint_says_which_end_stays(tmp_path: Path) -> None:
    prints = {pieces(tmp_path, keep, 8).fingerprint() for keep in ("first", "last")}
    assert len(prints) == 2
    assert pieces(tmp_path, None, 8).fingerprint() == pieces(tmp_path, "first", 8).fingerprint()
