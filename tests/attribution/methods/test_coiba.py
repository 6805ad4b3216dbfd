"""One mask for several layers: its loss written out, the object, what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution.methods import CoIBA, MethodAttributor
from input_iba.core.noise import sample_seed
from input_iba.errors import AttributionError, ConfigError, LayerNotFoundError
from input_iba.records import Explanation
from tests.attribution.methods.settings import explained, samples
from tests.attribution.nets import small_net
from tests.attribution.tiny_vit import TinyViT, noise, planted, trained_on_patches


def grid(tokens: Tensor) -> Tensor:
    """Return tokens (n, 17, D) as maps (n, D, 4, 4), without the class token."""
    return tokens[:, 1:].mT.reshape(len(tokens), -1, 4, 4)


def literal(net: TinyViT, x: Tensor, target: int, background: Tensor, method: CoIBA) -> Tensor:
    """Return the map of one image by the norms of blocks 1 and 2 of three."""

    def through(images: Tensor, mix: Callable[[int, Tensor], Tensor]) -> Tensor:
        """Return logits, with the normed tokens of the last two blocks mixed."""
        tokens: Tensor = net.blocks[0](net.embedded(images))
        for layer in (0, 1):
            block: Any = net.blocks[1 + layer]
            tokens = tokens + block.attend(mix(layer, block.before(tokens)))
            tokens = tokens + block.neurons(block.between(tokens))
        return net.read(tokens)

    def clean(images: Tensor) -> list[Tensor]:
        kept: list[Tensor] = []

        def keep(_layer: int, normed: Tensor) -> Tensor:
            kept.append(grid(normed).detach())
            return normed

        through(images, keep)
        return kept

    others = clean(background)
    mean, std = [f.mean(0) for f in others], [f.std(0).clamp(min=method.min_std) for f in others]
    generator = torch.Generator().manual_seed(sample_seed(0, "s0", "coiba"))
    alpha = torch.full((12, 4, 4), 5.0, dtype=x.dtype, requires_grad=True)
    adam = torch.optim.Adam([alpha], lr=method.lr)

    def capacity() -> Tensor:
        mask = alpha.sigmoid().clamp(0, 1 - 1e-6)
        total = torch.zeros_like(mask)
        for features, m, s in zip(clean(x), mean, std, strict=True):
            left = 1 - mask
            moved = (mask * (features[0] - m) / s) ** 2
            total = total - (1 + (left**2).log() - moved - left**2) / 2
        return total / 2

    for _ in range(method.opt_steps):
        draws = torch.empty(method.batch_size, 2, 12, 4, 4, dtype=x.dtype)
        draws.normal_(generator=generator)
        mask = alpha.sigmoid().clamp(0, 1 - 1e-6)
        loss = torch.zeros((), dtype=x.dtype)
        for eps in draws:

            def mix(layer: int, normed: Tensor, mask: Tensor = mask, eps: Tensor = eps) -> Tensor:
                kept = mask * grid(normed)
                mixed = kept + (1 - mask) * (mean[layer] + std[layer] * eps[layer])
                return torch.cat([normed[:, :1], mixed.flatten(2).mT], 1)

            loss = loss - through(x, mix).log_softmax(1)[0, target] / method.batch_size
        adam.zero_grad()
        (loss + method.beta * capacity().mean()).backward()  # type: ignore[no-untyped-call]
        adam.step()
    bits = capacity().sum(0).detach()[None, None] / math.log(2) * 16 / 64
    return nn.functional.interpolate(bits, (8, 8), mode="bilinear")[0, 0]


@pytest.mark.parametrize(
    "layers", [(), ("blocks.1.before", "blocks.2.before")], ids=["chosen", "given"]
)
def test_the_mask_is_the_best_for_both_layers(layers: tuple[str, ...]) -> None:
    net = TinyViT(pooled=True).double().eval()
    x, background = samples(1), samples(9, seed=5)
    method = CoIBA(layers=layers, beta=3, opt_steps=5, batch_size=3, sigma=0, lr=0.5)
    expected = literal(net, x, 2, background, method)
    # Adam's ε is another share of the gradient with respect to one of two equal logits.
    [found] = explained(net, method, x, [2], background)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_the_planted_patch_is_found() -> None:
    net: Any = trained_on_patches()
    background = torch.cat([planted(30, 5000)[0], noise(30, 5001)])
    x, places = planted(40, 9001)
    made = MethodAttributor(net, CoIBA(sigma=0), background=background)
    right = 0
    for record, place in zip(made.attribute(x, [1] * 40), places.tolist(), strict=True):
        assert isinstance(record, Explanation)
        hottest = record.input_mask.unfold(0, 2, 2).unfold(1, 2, 2).sum((2, 3)).argmax()
        right += int(hottest) == place
    assert right >= 36


def test_what_does_not_fit_is_said() -> None:
    x, background = samples(1), samples(4, seed=5)
    with pytest.raises(ConfigError, match=r"one shape; got '0' \(4, 8, 8\), '4' \(4, 4, 4\)"):
        explained(small_net(), CoIBA(layers=("0", "4")), x, [0], background)
    with pytest.raises(AttributionError, match="Sequential computes none"):
        explained(small_net(), CoIBA(), x, [0], background)
    with pytest.raises(LayerNotFoundError, match=r"'blocks\.7'"):
        explained(TinyViT().double(), CoIBA(layers=("blocks.7",)), x, [0], background)
    with pytest.raises(AttributionError, match="needs at least 2"):
        explained(TinyViT().double(), CoIBA(), x, [0])
