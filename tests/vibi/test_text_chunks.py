"""Texts are cut into chunks; padding belongs to none, and is read by no network."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from input_iba.errors import ConfigError
from input_iba.vibi.texts import (
    TextApproximator,
    TextChunks,
    TextExplainer,
    ends_in,
    max_of_chunks,
    packed,
    to_tokens,
    unpacked,
)

PAD = 1
WORDS = ("<unk>", "<pad>", ".", "film", "!", "good", "?")
KINDS = [
    TextChunks("word", 30),
    TextChunks("five_words", 30),
    TextChunks("sentence", 30, ends_in(WORDS)),
]


def literal_sentences(ids: list[int], ends: tuple[int, ...]) -> list[int]:
    """Walk over a text as a reader does."""
    numbers, number, ended = [], 0, False
    for token in ids:
        if ended and token not in ends:
            number, ended = number + 1, False
        ended = ended or token in ends
        numbers.append(number)
    return numbers


texts = st.lists(st.lists(st.integers(2, 6), min_size=1, max_size=23), min_size=1, max_size=4)


def padded(lists: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, lists))
    ids = torch.tensor([text + [PAD] * (longest - len(text)) for text in lists])
    lengths = torch.tensor([len(text) for text in lists])
    return ids, torch.arange(longest) < lengths[:, None]


@given(texts)
def test_chunks_are_as_a_reader_counts_them(lists: list[list[int]]) -> None:
    ids, valid = padded(lists)
    for text, row, mask in zip(lists, range(len(lists)), valid, strict=True):
        found = [kind.of(ids, valid)[row][mask].tolist() for kind in KINDS]
        assert found[0] == list(range(len(text)))
        assert found[1] == [i // 5 for i in range(len(text))]
        assert found[2] == literal_sentences(text, (2, 4, 6))
    assert all((kind.of(ids, valid)[~valid] == -1).all() for kind in KINDS)


def test_a_sentence_begins_after_the_last_of_its_end_marks() -> None:
    ids = torch.tensor([[5, 3, 4, 4, 5, 2, 3]])
    assert KINDS[2].of(ids, ids != PAD).tolist() == [[0, 0, 0, 0, 1, 1, 2]]


def test_unknown_kinds_and_sentences_without_ends_are_refused() -> None:
    with pytest.raises(ConfigError, match="Closest: 'sentence'"):
        TextChunks("sentences", 30)
    with pytest.raises(ConfigError, match="none of the tokens"):
        TextChunks("sentence", 30, ends_in(["<unk>", "<pad>", "film"]))


@pytest.mark.parametrize("kind", KINDS)
@given(lists=texts, seed=st.integers(0, 9))
def test_maxima_of_chunks_against_a_loop(
    kind: TextChunks, lists: list[list[int]], seed: int
) -> None:
    chunks = kind.of(*padded(lists))
    values = torch.rand(*chunks.shape, 3, generator=torch.Generator().manual_seed(seed))
    maxima, exist = max_of_chunks(values, chunks)
    for row in range(len(lists)):
        for number in range(maxima.shape[1]):
            inside = chunks[row] == number
            assert bool(exist[row, number]) == bool(inside.any())
            if inside.any():
                torch.testing.assert_close(maxima[row, number], values[row][inside].amax(0))
    back = to_tokens(maxima[..., 0][None].expand(2, -1, -1), chunks)
    assert back.shape == (2, *chunks.shape)
    assert (back[:, chunks < 0] == 0).all()
    first = maxima[0, chunks[0, 0], 0]
    assert back[1, 0, 0] == first


@pytest.mark.parametrize("kind", KINDS)
def test_hiding_puts_zeros_in_place_of_words_and_leaves_padding_alone(kind: TextChunks) -> None:
    chunks = kind.of(*padded([[5, 2, 3, 5, 5, 4, 3], [5, 3]]))
    inputs = packed(torch.randn(2, 7, 3), chunks)
    shown = torch.zeros(2, 2, int(chunks.max()) + 1)
    shown[0, 0, 1:2] = shown[1, 1, 0] = 1
    shown[1, 0] = 0.5
    hidden = kind.hide(inputs, shown)
    assert hidden.shape == (4, 7, 4)
    vectors, numbers = unpacked(hidden)
    assert torch.equal(numbers, chunks.repeat_interleave(2, 0))
    first = inputs[0, :, 1:] * (chunks[0] == 1)[:, None]
    torch.testing.assert_close(vectors[0], first)
    assert (vectors[1] == 0).all()
    torch.testing.assert_close(vectors[2, :2], inputs[1, :2, 1:] / 2)
    second = inputs[1, :, 1:] * (chunks[1] == 0)[:, None]
    torch.testing.assert_close(vectors[3], second)


def networks() -> tuple[TextExplainer, TextApproximator]:
    torch.manual_seed(0)
    return TextExplainer(4, 8).eval(), TextApproximator(2, 4, 8).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_gets_the_same_alone_and_in_a_batch(kind: TextChunks) -> None:
    explainer, approximator = networks()
    ids, valid = padded([[5, 2, 3], [5, 3, 5, 3, 5, 3, 2, 5, 5]])
    vectors = torch.randn(*ids.shape, 4)
    chunks = kind.of(ids, valid)
    together = explainer(packed(vectors, chunks))
    alone = explainer(packed(vectors[:1, :3], chunks[:1, :3]))
    torch.testing.assert_close(together[:1, : alone.shape[1]], alone)
    assert torch.isneginf(together[0, alone.shape[1] :]).all()
    assert torch.isfinite(together[1]).all()
    one = approximator(packed(vectors[:1, :3], chunks[:1, :3]))
    both = approximator(packed(vectors, chunks))
    torch.testing.assert_close(both[:1], one)


def test_what_stands_at_padding_is_not_read() -> None:
    explainer, approximator = networks()
    ids, valid = padded([[5, 2, 3], [5, 3, 5, 3, 5]])
    vectors, chunks = torch.randn(*ids.shape, 4), KINDS[0].of(ids, valid)
    other = vectors.masked_fill(~valid[..., None], 9.0)
    for network in (explainer, approximator):
        assert torch.equal(network(packed(vectors, chunks)), network(packed(other, chunks)))


def test_gradients_reach_every_weight_of_both_networks() -> None:
    explainer, approximator = networks()
    ids, valid = padded([[5, 2, 3], [5, 3, 5, 3, 5]])
    vectors, chunks = torch.randn(*ids.shape, 4), KINDS[0].of(ids, valid)
    shown = to_tokens(explainer(packed(vectors, chunks)).softmax(-1), chunks)
    logits = approximator(packed(vectors * shown[..., None], chunks))
    logits.log_softmax(-1)[:, 0].sum().backward()
    for network in (explainer, approximator):
        for name, weights in network.named_parameters():
            assert weights.grad is not None, name
            assert torch.isfinite(weights.grad).all(), name
            # A constant added to all logits changes no softmax.
            assert weights.grad.abs().sum() > 0 or name == "score.bias", name
