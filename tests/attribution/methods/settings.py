"""Every method with settings that need little time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution import FeatureIBA
from input_iba.attribution.amortised import build_explainer, entered
from input_iba.attribution.methods import (
    IBA,
    Amortised,
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
from input_iba.core.classifier import Classifier
from input_iba.modality import Modality, VisionModality
from input_iba.records import Explanation
from tests.attribution.nets import small_net
from tests.attribution.tiny_vit import TinyViT


def explaining(net: nn.Module, modality: Modality, inputs: Tensor, **how: Any) -> Amortised:
    """Return the method with an explainer for a network that learned nothing of some inputs."""
    net = net.eval()
    values, tokens = entered(net, modality, inputs)
    classifier = Classifier(net, run=modality.run)
    explainer, _ = build_explainer(classifier, modality, values, tokens, **how)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in explainer.decoder.parameters():  # some begin at 0
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return Amortised(explainer.to(values.dtype))


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
        Amortised(),
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
    if isinstance(method, Amortised):
        method = explaining(net, VisionModality(), background)
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
