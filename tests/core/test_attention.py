"""Attention whose weights are seen: the same results, calls, and everything given back."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.attention import Attention, bypassed, recorded_attention
from tests.attribution.tiny_vit import WAYS, TinyViT
from tests.conftest import Unchanged


def values(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


class Fused(nn.Module):
    """Calls the fused attention with some options."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, **self.options)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"is_causal": True},
    {"scale": 0.3},
    {"attn_mask": values(5, 5, seed=9)},
    {"attn_mask": values(2, 1, 5, 5, seed=9) > -0.3},
    {"attn_mask": torch.arange(5)[:, None] > torch.zeros(5)},  # nothing for the first to attend to
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "plain")
def test_fused_attention_computes_the_same_and_shows_its_weights(options: dict[str, Any]) -> None:
    query, key, value = (values(2, 3, 5, 4, seed=i) for i in range(3))
    net = Fused(**options)
    with recorded_attention(net) as found:
        output = net(query, key, value)
    torch.testing.assert_close(output, net(query, key, value))
    [attention] = found
    # The output of one-hot values are the weights themselves.
    unit = torch.eye(5, dtype=torch.float64).expand(2, 3, 5, 5)
    torch.testing.assert_close(attention.weights, net(query, key, unit))
    assert [call.module for call in attention.within] == [net]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)
)
def test_groups_of_heads_share_keys(rows: int, groups: int, each: int, tokens: int, d: int) -> None:
    query = values(rows, groups * each, tokens, d)
    key, value = values(rows, groups, tokens, d, seed=1), values(rows, groups, tokens, d, seed=2)
    net = Fused(enable_gqa=True)
    with recorded_attention(net) as found:
        output = net(query, key, value)
    torch.testing.assert_close(output, net(query, key, value))
    assert found[0].weights.shape == (rows, groups * each, tokens, tokens)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_multi_head_attention_computes_the_same(
    batch_first: bool, average: bool, padded: bool
) -> None:
    torch.manual_seed(0)
    net = nn.MultiheadAttention(6, 2, batch_first=batch_first).double().eval()
    x = values(*((2, 5) if batch_first else (5, 2)), 6)
    padding = torch.arange(5) >= torch.tensor([[5], [3]]) if padded else None
    expected, weights = net(x, x, x, padding, average_attn_weights=False)
    with recorded_attention(net) as found:
        output, told = net(x, x, x, padding, average_attn_weights=average)
        quiet, nothing = net(x, x, x, padding, need_weights=False)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(quiet, expected)
    assert nothing is None
    torch.testing.assert_close(told, weights.mean(1) if average else weights)
    for attention in found:
        torch.testing.assert_close(attention.weights, weights)


def recorded(way: str, samples: int = 2) -> tuple[TinyViT, list[Attention], Tensor]:
    net = TinyViT(way).double().eval()
    with recorded_attention(net) as found:
        logits = net(values(samples, 2, 8, 8))
    return net, found, logits


@pytest.mark.parametrize("way", WAYS)
def test_every_way_shows_the_same_weights_within_the_graph(way: str) -> None:
    net, found, logits = recorded(way)
    _, expected, expected_logits = recorded("softmax")
    torch.testing.assert_close(logits, expected_logits)
    assert len(found) == 3
    shown = [a.weights for a in found]
    gradients = torch.autograd.grad(logits[:, 1].sum(), shown)
    wanted = torch.autograd.grad(expected_logits[:, 1].sum(), [a.weights for a in expected])
    for i, attention in enumerate(found):
        torch.testing.assert_close(attention.by_heads(shown[i], 2), expected[i].weights)
        torch.testing.assert_close(attention.by_heads(gradients[i], 2), wanted[i])
        block = attention.block(2)
        assert block is not None
        assert block.module is net.blocks[i]
        assert (block.number, block.attentions) == (0, 1)


def test_a_block_that_is_called_again_is_told_apart() -> None:
    net = TinyViT().double().eval()
    net.blocks[1] = net.blocks[2] = net.blocks[0]
    x = values(2, 2, 8, 8)
    with recorded_attention(net) as found:
        net(x)
    blocks = [attention.block(2) for attention in found]
    assert [block.number for block in blocks if block is not None] == [0, 1, 2]
    with bypassed([block for block in blocks[1:] if block is not None]):
        short = net(x)
    torch.testing.assert_close(short, net.read(net.blocks[0](net.embedded(x))))


def test_softmax_of_anything_else_is_not_attention() -> None:
    net = nn.Sequential(nn.Softmax(-1), nn.Linear(4, 3), nn.Softmax(-1))
    with recorded_attention(net) as found:
        net(torch.zeros(2, 4))
        net(torch.zeros(2, 5, 4))
    assert found == []


class StoppedHereError(Exception):
    """Raised in the middle."""


def test_model_and_torch_come_back_also_after_an_exception(unchanged: Unchanged) -> None:
    own = F.scaled_dot_product_attention, F.multi_head_attention_forward
    net = TinyViT("multi-head").double()
    x = values(2, 2, 8, 8)
    expected = net(x)
    with unchanged(net):
        with recorded_attention(net) as found:
            net(x)
        blocks = [block for a in found if (block := a.block(2)) is not None]
        with pytest.raises(StoppedHereError), recorded_attention(net), bypassed(blocks):
            net(x)
            raise StoppedHereError
    with recorded_attention(net) as again:
        with pytest.raises(RuntimeError):  # of another size: fails within a module
            net(x[..., :6])
        net(x)
    assert again[0].within[0].module is net
    assert (F.scaled_dot_product_attention, F.multi_head_attention_forward) == own
    torch.testing.assert_close(net(x), expected)
