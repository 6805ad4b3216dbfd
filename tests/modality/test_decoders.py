"""Decoders: shapes of every kind of input, and that neighbours in a batch change nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from input_iba.modality.decoders import FINEST, VisionDecoder, build_decoder
from input_iba.modality.text_decoder import TextDecoder

ASKED = 6


def filled(net: nn.Module) -> nn.Module:
    """Give every weight a value, those that begin at 0 too."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return net.eval()


def features_of(inputs: Tensor, channels: Sequence[int], factors: Sequence[int]) -> list[Tensor]:
    """Return features of each tap, `factors` times smaller than inputs (B, C, …), rounded up."""
    generator = torch.Generator().manual_seed(1)
    sizes = [[-(-side // f) for side in inputs.shape[2:]] for f in factors]
    pairs = zip(channels, sizes, strict=True)
    return [torch.randn(len(inputs), c, *size, generator=generator) for c, size in pairs]


CASES = {
    "image": ((3, 32, 32), (4, ASKED), (2, 8)),
    "odd": ((3, 37, 53), (4, 5, ASKED), (1, 2, 5)),
    "tall": ((1, 40, 12), (4, ASKED), (2, 4)),
    "large": ((3, 200, 150), (4, ASKED), (4, 32)),
    "large and odd": ((3, 131, 67), (4, ASKED), (3, 9)),
    "coarsest first": ((3, 32, 32), (ASKED, 4), (8, 2)),
    "one tap": ((3, 16, 24), (4,), (1,)),
    "signal": ((2, 100), (4, ASKED), (2, 10)),
    "long signal": ((2, 777), (4, ASKED), (2, 10)),
    "volume": ((1, 9, 12, 10), (4, ASKED), (1, 3)),
}


def case(name: str, count: int = 3) -> tuple[VisionDecoder, Tensor, list[Tensor], Tensor]:
    shape, channels, factors = CASES[name]
    torch.manual_seed(0)
    inputs, asked = torch.randn(count, *shape), torch.randn(count, ASKED)
    features = features_of(inputs, channels, factors)
    decoder = build_decoder("images", [tuple(f.shape[1:]) for f in features], shape, ASKED)
    assert isinstance(decoder, VisionDecoder)
    decoder.fit(features, asked)
    filled(decoder)
    return decoder, inputs, features, asked


@pytest.mark.parametrize("name", CASES)
def test_a_mask_has_the_size_of_its_input_and_at_most_so_many_positions(name: str) -> None:
    decoder, inputs, features, asked = case(name)
    found = decoder(inputs, features, asked)
    assert found.shape[:2] == (3, 1)
    assert max(found.shape[2:]) <= FINEST
    maps = torch.rand(3, *inputs.shape[2:])
    assert decoder.reduced(maps).shape == found[:, 0].shape  # what it learns from
    assert decoder.enlarged(found, inputs).shape == (3, 1, *inputs.shape[2:])
    detail = decoder.detail(inputs)
    assert detail.shape == (3, *inputs.shape[2:])
    assert detail.min() > 0


@pytest.mark.parametrize("name", CASES)
def test_reducing_keeps_the_mean_and_undoes_enlarging_of_what_is_even(name: str) -> None:
    decoder, inputs, _, _ = case(name)
    even = torch.full((2, *inputs.shape[2:]), 0.7)
    small = decoder.reduced(even)
    torch.testing.assert_close(small, torch.full_like(small, 0.7))
    torch.testing.assert_close(decoder.enlarged(small[:, None], inputs[:2])[:, 0], even)


@pytest.mark.parametrize("name", CASES)
def test_each_image_of_a_batch_is_as_it_is_alone(name: str) -> None:
    decoder, inputs, features, asked = case(name)
    together = decoder(inputs, features, asked)
    for i in range(len(inputs)):
        own = slice(i, i + 1)
        alone = decoder(inputs[own], [part[own] for part in features], asked[own])
        torch.testing.assert_close(alone, together[own], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(decoder.detail(inputs[own]), decoder.detail(inputs)[own])


@pytest.mark.parametrize("name", ["image", "odd", "signal", "one tap"])
def test_input_features_and_question_all_count(name: str) -> None:
    decoder, inputs, features, asked = case(name)
    found = decoder(inputs, features, asked)
    assert not torch.allclose(decoder(inputs + torch.randn_like(inputs), features, asked), found)
    assert not torch.allclose(decoder(inputs, features, asked.flip(0)), found)
    for i in range(len(features)):
        others = [part.flip(0) if i == k else part for k, part in enumerate(features)]
        assert not torch.allclose(decoder(inputs, others, asked), found)


def test_an_untrained_decoder_says_where_the_coarsest_features_are_for_what_is_asked() -> None:
    shape, channels, factors = CASES["image"]
    inputs, asked = torch.randn(3, *shape), torch.randn(3, ASKED)
    features = features_of(inputs, channels, factors)
    decoder = build_decoder("images", [tuple(f.shape[1:]) for f in features], shape, ASKED)
    evidence = torch.einsum("bchw,bc->bhw", features[1], asked)
    decoder.fit(features, asked)
    found = decoder(inputs, features, asked)[:, 0]
    expected = (evidence - evidence.mean()) / evidence.std()
    spread = nn.functional.interpolate(expected[:, None], found.shape[1:], mode="bilinear")[:, 0]
    shift = (found - spread).mean()  # which changes no share
    torch.testing.assert_close(found - shift, spread, rtol=1e-4, atol=1e-4)


def text_case(lengths: Sequence[int]) -> tuple[TextDecoder, Tensor, list[Tensor], Tensor, Tensor]:
    torch.manual_seed(0)
    count, longest = len(lengths), max(lengths)
    inputs, asked = torch.randn(count, longest, 8), torch.randn(count, ASKED)
    features = [torch.randn(count, longest, d) for d in (5, 7)]
    counted = (torch.arange(longest) < torch.tensor(lengths)[:, None])[..., None]
    decoder = build_decoder("texts", [tuple(f.shape[1:]) for f in features], (longest, 8), ASKED)
    assert isinstance(decoder, TextDecoder)
    decoder.fit(features, asked)
    filled(decoder)
    return decoder, inputs, features, asked, counted


def test_a_text_has_one_logit_for_each_word() -> None:
    decoder, inputs, features, asked, _ = text_case([9, 9])
    found = decoder(inputs, features, asked)
    assert found.shape == (2, 9, 1)
    assert torch.equal(decoder.enlarged(found, inputs), found)
    assert torch.equal(decoder.reduced(found[..., 0]), found[..., 0])
    shares = found[..., 0].softmax(1)
    assert torch.equal(decoder.read(shares, inputs), shares)


def test_neither_neighbours_nor_padding_change_a_text() -> None:
    lengths = [3, 9, 1, 6]
    decoder, inputs, features, asked, counted = text_case(lengths)
    together = decoder(inputs, features, asked, counted)
    for i, length in enumerate(lengths):
        own = (slice(i, i + 1), slice(length))
        parts = [part[own] for part in features]
        alone = decoder(inputs[own], parts, asked[i : i + 1], counted[own])
        torch.testing.assert_close(alone, together[own])
        plain = decoder(inputs[own], parts, asked[i : i + 1])
        torch.testing.assert_close(plain, together[own])


def test_neighbouring_words_count() -> None:
    decoder, inputs, features, asked, _ = text_case([9])
    others = [part.clone() for part in features]
    others[0][:, 4] += 1
    changed = decoder(inputs, others, asked) != decoder(inputs, features, asked)
    assert changed[0, 3:6, 0].all()
