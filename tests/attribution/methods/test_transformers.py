"""Methods that read attention: their definitions written out, networks of libraries, refusals."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution.methods import (
    AttentionRollout,
    GradientAttention,
    LeGrad,
    Method,
    MethodAttributor,
)
from input_iba.errors import AttributionError
from input_iba.modality import TextModality
from input_iba.records import Explanation, Failure
from tests.attribution import test_transformers as bert
from tests.attribution.methods.settings import explained, samples
from tests.attribution.tiny_vit import WAYS, TinyViT, planted, trained_on_patches
from tests.conftest import Unchanged
from tests.models.tiny_bert import tiny_bert

METHODS: dict[str, Method] = {
    m.name: m for m in (AttentionRollout(), GradientAttention(), LeGrad())
}
ALL = pytest.mark.parametrize("name", METHODS)


def large(values: Tensor) -> Tensor:
    """Enlarge what 17 tokens have, without the class token, to 8×8 pixels."""
    grid = values[1:].reshape(1, 1, 4, 4)
    return nn.functional.interpolate(grid, (8, 8), mode="bilinear")[0, 0].detach()


def attended(net: TinyViT, x: Tensor, target: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return weights and gradients of every layer for one image, (heads, N, N) each."""
    score = net(x)[0, target]
    weights = list(net.kept())
    return [w[0].detach() for w in weights], [g[0] for g in torch.autograd.grad(score, weights)]


def rollout(net: TinyViT, x: Tensor, target: int) -> Tensor:
    weights, _ = attended(net, x, target)
    joint = one = torch.eye(17, dtype=x.dtype)
    for layer in weights:
        joint = (layer.mean(0) + one) / 2 @ joint
    return joint


def relevance(net: TinyViT, x: Tensor, target: int) -> Tensor:
    found = one = torch.eye(17, dtype=x.dtype)
    for weights, gradients in zip(*attended(net, x, target), strict=True):
        found = found + (weights * gradients).clamp(min=0).mean(0) @ found
    return found - one


def legrad(net: TinyViT, x: Tensor, target: int) -> Tensor:
    total = torch.zeros(17, dtype=x.dtype)
    tokens = net.embedded(x)
    for layer in net.blocks:
        tokens = layer(tokens)
        weights: Any = layer.attend.kept  # type: ignore[union-attr]
        [gradient] = torch.autograd.grad(net.read(tokens)[0, target], weights, retain_graph=True)
        for head in gradient[0]:
            for row in head:
                total += row.clamp(min=0) / (2 * 17)
    return total / len(net.blocks)


@ALL
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pooled", [False, True])
def test_definitions(name: str, way: str, pooled: bool) -> None:
    x, reads = samples(2), TinyViT("softmax", pooled=pooled).double().eval()
    found = explained(TinyViT(way, pooled=pooled).double(), METHODS[name], x, [1, 2])
    for i, target in enumerate([1, 2]):
        one = x[i : i + 1]
        if name == "legrad":
            values = legrad(reads, one, target)
        else:
            joint = (rollout if name == "attention_rollout" else relevance)(reads, one, target)
            values = joint.mean(0) if pooled else joint[0]
        torch.testing.assert_close(found[i], large(values))


def explain(net: nn.Module, name: str, x: Tensor, **options: Any) -> list[Explanation | Failure]:
    return MethodAttributor(net, METHODS[name], **options).attribute(x, [0, 1, 1][: len(x)])


def maps(found: list[Explanation | Failure]) -> list[Tensor]:
    masks = []
    for record in found:
        assert isinstance(record, Explanation), record
        assert record.input_mask.max() > 0
        masks.append(record.input_mask * record.peak)
    return masks


def timm_net(name: str, **options: Any) -> nn.Module:
    timm = pytest.importorskip("timm")
    if name not in timm.list_models():
        pytest.skip(f"timm {timm.__version__} does not know {name}")
    torch.manual_seed(0)
    net: nn.Module = timm.create_model(name, num_classes=3, **options).double()
    return net


SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "num_heads": 2, "depth": 3}


@ALL
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("vit_tiny_patch16_224", {}),
        ("vit_tiny_patch16_224", {"global_pool": "avg"}),
        ("vit_small_patch16_dinov3", {}),
    ],
    ids=str,
)
def test_timm_with_fused_attention_is_as_without(
    name: str, kind: str, options: dict[str, Any]
) -> None:
    x = samples(2, channels=3, side=32)
    net: Any = timm_net(kind, **SMALL, **options)
    fused = maps(explain(net, name, x))
    for block in net.blocks:
        assert block.attn.fused_attn
        block.attn.fused_attn = False
    for one, other in zip(fused, maps(explain(net, name, x)), strict=True):
        torch.testing.assert_close(one, other)


@ALL
def test_torchvision(name: str, unchanged: Unchanged) -> None:
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    net = torchvision.models.VisionTransformer(32, 8, 3, 2, 16, 32, num_classes=3).double()
    nn.init.normal_(net.heads.head.weight)  # torchvision begins with zeros
    x = samples(2, channels=3, side=32)
    with unchanged(net):
        together = maps(explain(net, name, x))
    alone = maps(explain(net, name, x[:1]))
    torch.testing.assert_close(together[0], alone[0])


@ALL
def test_bert_in_every_implementation(name: str, unchanged: Unchanged) -> None:
    texts, found = bert.sentences(3, 1), []
    for how in ("sdpa", "eager"):
        net = tiny_bert(attn_implementation=how).double()
        reads = TextModality(pad=bert.PAD, special=[bert.CLS, bert.SEP])
        with unchanged(net):
            found.append(maps(explain(net, name, texts, modality=reads)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@ALL
@pytest.mark.slow
def test_the_planted_word_is_found(name: str) -> None:
    net = bert.trained_bert(0)
    reads = TextModality(pad=bert.PAD, special=[bert.CLS, bert.SEP])
    texts = bert.sentences(50, 7000)
    made = MethodAttributor(net, METHODS[name], modality=reads).attribute(texts, [1] * 50)
    right = sum(
        int(row[m.argmax()]) == bert.PLANTED for row, m in zip(texts, maps(made), strict=True)
    )
    # Of the others much attention goes elsewhere; by chance it would be 8.
    assert right >= (45 if name == "legrad" else 25)


@pytest.fixture(scope="module")
def finds_patch() -> nn.Module:
    return trained_on_patches()


@ALL
@pytest.mark.slow
def test_the_planted_patch_is_found(name: str, finds_patch: nn.Module) -> None:
    x, places = planted(50, 9001)
    found = MethodAttributor(finds_patch, METHODS[name]).attribute(x, [1] * 50)
    right = 0
    for mask, place in zip(maps(found), places.tolist(), strict=True):
        hottest = mask.unfold(0, 2, 2).unfold(1, 2, 2).sum((2, 3)).argmax()
        right += int(hottest) == place
    assert right >= (25 if name == "attention_rollout" else 45)


@ALL
def test_networks_without_attention_or_of_windows_are_refused(name: str) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 3)).double()
    x = samples(2, channels=3, side=32)
    with pytest.raises(AttributionError, match="reads attention, and Sequential computes none"):
        explain(net, name, x)
    swin = timm_net("swin_tiny_patch4_window7_224", img_size=32, window_size=4, depths=(1, 1))
    with pytest.raises(AttributionError, match=r"layers\.\d\.blocks\.\d.* Windows, pooling"):
        explain(swin, name, x)


def test_a_head_that_reads_nothing_gives_an_empty_map() -> None:
    net = TinyViT().double()
    nn.init.zeros_(net.head.weight)
    for method in METHODS.values():
        assert explained(net, method, samples(1), [0]).count_nonzero() == 0


def test_small_gradients_are_not_lost_beside_the_tokens_themselves() -> None:
    x, net = samples(1), TinyViT(pooled=True)
    with torch.no_grad():
        net.head.weight *= 1e-9
    rounded = explained(net, METHODS["gradient_attention"], x.float(), [0])
    exact = explained(net.double(), METHODS["gradient_attention"], x, [0])
    assert 0 < exact.max() < 1e-8
    torch.testing.assert_close(rounded.double(), exact, rtol=1e-3, atol=1e-12)
