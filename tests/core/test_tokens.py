"""Tokens: padding is what stands behind a text, and special tokens are not scored."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.core.tokens import Tokens


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
