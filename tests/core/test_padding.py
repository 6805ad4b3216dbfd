"""Padding, and what can be told from it."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.core.padding import PAD_INDEX, lengths_of, pad

TEXTS = st.lists(st.lists(st.sampled_from([0, 2, 3]), min_size=1, max_size=9), min_size=1)


@given(TEXTS)
def test_what_is_valid_is_the_texts(texts: list[list[int]]) -> None:
    batch = pad([torch.tensor(text) for text in texts])
    assert batch.ids.shape == batch.valid.shape == (len(texts), max(map(len, texts)))
    assert batch.ids.dtype == batch.lengths.dtype == torch.int64
    rows = zip(batch.ids, batch.valid, strict=True)
    assert [ids[valid].tolist() for ids, valid in rows] == texts
    assert bool((batch.ids[~batch.valid] == PAD_INDEX).all())
    assert torch.equal(lengths_of(batch.ids), batch.lengths)


def test_another_pad_index_and_device() -> None:
    batch = pad([torch.tensor([1, 2]), torch.tensor([3])], pad_index=7).to(torch.device("cpu"))
    assert batch.ids.tolist() == [[1, 2], [3, 7]]


@given(TEXTS, st.integers(1, 12))
def test_a_length_rounded_up_changes_no_text(texts: list[list[int]], multiple: int) -> None:
    exact = pad([torch.tensor(text) for text in texts])
    batch = pad([torch.tensor(text) for text in texts], multiple=multiple)
    length = exact.ids.shape[1]
    assert batch.ids.shape[1] % multiple == 0
    assert batch.ids.shape[1] - length < multiple
    assert torch.equal(batch.ids[:, :length], exact.ids)
    assert bool((batch.ids[:, length:] == PAD_INDEX).all())
    assert torch.equal(batch.lengths, exact.lengths)
