"""Tokens: padding is what stands behind a text, and special tokens are not scored."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.core.padding import PAD_INDEX, lengths_of, pad
from input_iba.core.tokens import NO_TOKENS, Tokens


@given(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=4))
def test_lengths_end_at_the_last_token_that_is_no_padding(texts: list[list[int]]) -> None:
    longest = max(1, *map(len, texts))
    ids = torch.tensor([text + [1] * (longest - len(text)) for text in texts])
    tokens = Tokens.of(ids, pad=1, special=[4, 5])
    for i, text in enumerate(texts):
        while text and text[-1] == 1:
            text.pop()
        assert tokens.lengths[i] == max(len(text), 1)
        assert tokens.valid[i].sum() == max(len(text), 1)
        expected = [token not in (4, 5) for token in text]
        assert tokens.scored[i].tolist() == expected + [False] * (longest - len(text))
    assert tokens.padded == any(max(len(text), 1) < longest for text in texts)


def test_rows_are_selected_and_repeated_together() -> None:
    tokens = Tokens.of(torch.tensor([[2, 3, 1], [4, 1, 1], [5, 6, 7]]), pad=1)
    assert tokens.select([2, 0]).lengths.tolist() == [3, 2]
    assert tokens.select(slice(1, 3)).ids.tolist() == [[4, 1, 1], [5, 6, 7]]
    twice = tokens.repeat(2)
    assert len(twice) == 6
    assert twice.lengths.tolist() == [2, 2, 1, 1, 3, 3]
    assert twice.scored[:, 1].tolist() == [True, True, False, False, True, True]


def test_only_what_is_scored_may_change_and_images_count_everywhere() -> None:
    tokens = Tokens.of(torch.tensor([[2, 4, 1], [3, 5, 6]]), pad=1, special=[4])
    clean, changed = torch.zeros(2, 1, 3, 2), torch.ones(2, 5, 3, 2)
    found = tokens.only_scored(changed, clean)
    assert found[:, 0, :, 0].tolist() == [[1, 0, 0], [1, 1, 1]]
    maps = torch.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]])
    assert tokens.zeroed(maps).tolist() == [[3, 0, 0], [6, 5, 4]]
    assert tokens.with_least(maps).tolist() == [[3, 3, 3], [6, 5, 4]]
    assert tokens.map_of(maps, 0).tolist() == [3, 0]
    assert NO_TOKENS.only_scored(changed, clean) is changed
    assert NO_TOKENS.with_least(maps) is NO_TOKENS.zeroed(maps) is maps


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
