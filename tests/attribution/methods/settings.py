"""Every method with settings that need little time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.attribution import FeatureIBA
from input_iba.attribution.methods import (
    IBA,
    AttentionRollout,
    BlurIntegratedGradients,
    CoIBA,
    DeepShap,
    ExpectedGradients,
    ExtremalPerturbation,
    GradCam,
    GradCamPlusPlus,
    Gradient,
    GradientAttention,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    LayerCam,
    LeGrad,
    Lime,
    Method,
    MethodAttributor,
    Occlusion,
    Random,
    Rise,
    ScoreCam,
    SmoothGrad,
    SmoothIntegratedGradients,
)
from input_iba.records import Explanation
from tests.attribution.nets import small_net
from tests.attribution.tiny_vit import TinyViT


def quick(layer: str) -> dict[str, Method]:
    """Return every method; those that look at a layer, at this one."""
    methods = [
        Gradient(),
        InputXGradient(),
        SmoothGrad(n_samples=6),
        IntegratedGradients(n_steps=8),
        SmoothIntegratedGradients(n_samples=3, n_steps=5),
        BlurIntegratedGradients(n_steps=8),
        ExpectedGradients(n_samples=12),
        GuidedBackprop(),
        GradCam(layer=layer),
        GradCamPlusPlus(layer=layer),
        LayerCam(layer=layer),
        ScoreCam(layer=layer),
        DeepShap(n_background=4),
        Occlusion(window=0.4, stride=0.2),
        Lime(n_samples=30, tiles=4),
        KernelShap(n_samples=30, tiles=4),
        Rise(n_masks=40, cells=4),
        ExtremalPerturbation(n_steps=5, cells=4, every=2),
        IBA(layer=layer, feature_iba=FeatureIBA(batch_size=3, opt_steps=4)),
        Random(),
        CoIBA(opt_steps=4, batch_size=3, n_background=6),
        *(AttentionRollout(), GradientAttention(), LeGrad()),
    ]
    return {method.name: method for method in methods}


ATTENTION = frozenset({"attention_rollout", "gradient_attention", "legrad", "coiba"})
"""Methods that need a transformer."""


def net_for(name: str) -> nn.Module:
    """Return a random classifier of `samples` into three classes that a method can explain."""
    return TinyViT().double() if name in ATTENTION else small_net()


def attributor(
    net: nn.Module, method: Method, background: Tensor, **options: object
) -> MethodAttributor:
    """Return an attributor that has seen the estimation set."""
    made = MethodAttributor(net, method, **options)  # type: ignore[arg-type]
    made.estimate([background])
    return made


def samples(count: int, channels: int = 2, side: int = 8, seed: int = 1) -> Tensor:
    """Return random inputs in double precision."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, channels, side, side, generator=generator, dtype=torch.float64)


def explained(
    net: nn.Module, method: Method, x: Tensor, targets: list[int], background: Tensor | None = None
) -> Tensor:
    """Return the maps of inputs of ids s0, s1, … in the method's own units."""
    ids = [f"s{i}" for i in range(len(x))]
    made = MethodAttributor(net, method, background=background)
    masks = []
    for record in made.attribute(x, targets, ids=ids):
        assert isinstance(record, Explanation), record
        masks.append(record.input_mask * record.peak)
    return torch.stack(masks)
