"""Classifiers of images of the package transformers: outputs with names, backbones, poolers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from input_iba import InputIBA
from input_iba.attribution import FeatureIBA, InputBottleneck, Preset, SaliencyPrior

SHORT = Preset(
    FeatureIBA(opt_steps=2, batch_size=2),
    SaliencyPrior(),
    InputBottleneck(opt_steps=2, batch_size=2),
)
VIT: dict[str, Any] = {
    **{"image_size": 32, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 6},
    **{"num_attention_heads": 2, "intermediate_size": 32},
}
SWIN: dict[str, Any] = {
    **{"image_size": 64, "patch_size": 4, "embed_dim": 16, "depths": [2, 2]},
    **{"num_heads": [2, 2], "window_size": 4},
}
STAGES: dict[str, Any] = {
    **{"num_encoder_blocks": 2, "depths": [1, 1], "hidden_sizes": [8, 16], "strides": [4, 2]},
    **{"num_attention_heads": [1, 2], "mlp_ratios": [2, 2]},
}
FAMILIES: dict[str, tuple[dict[str, Any], int, str, tuple[int, int]]] = {
    "ViT": (VIT, 32, "vit.layers.4", (4, 4)),
    "DeiT": (VIT, 32, "deit.layers.4", (4, 4)),
    "Beit": (VIT, 32, "beit.layers.4", (4, 4)),
    "Dinov2": (VIT, 32, "dinov2.encoder.layer.4", (4, 4)),
    "Dinov2WithRegisters": (VIT, 32, "dinov2_with_registers.encoder.layer.4", (4, 4)),
    "Swin": (SWIN, 64, "swin.layernorm", (8, 8)),
    "Swinv2": (SWIN, 64, "swinv2.layernorm", (8, 8)),
    "ConvNext": (
        {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
        *(64, "convnext.encoder", (8, 8)),
    ),
    "ResNet": (
        {"embedding_size": 8, "hidden_sizes": [8, 16, 32], "depths": [1, 1, 1]},
        *(64, "resnet.encoder", (4, 4)),
    ),
    "Segformer": (
        {**STAGES, "sr_ratios": [2, 1], "patch_sizes": [7, 3]},
        *(64, "segformer", (8, 8)),
    ),
    "MobileNetV2": (
        {"image_size": 64, "depth_multiplier": 0.25},
        *(64, "mobilenet_v2.layer.11", (4, 4)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_the_chosen_layer_decides_and_is_explained(family: str) -> None:
    """Behind Swin and ResNet the classifier reads what is pooled, not the map beside it."""
    options, size, layer, positions = FAMILIES[family]
    config = getattr(transformers, f"{family}Config")(num_labels=3, **options)
    make: Callable[[Any], nn.Module] = getattr(transformers, f"{family}ForImageClassification")
    torch.manual_seed(0)
    net = make(config).eval()
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    iba = InputIBA(net, preset=SHORT)
    found = iba.attribute(torch.randn(1, 3, size, size))
    assert iba.layer == layer
    assert found[0].feature_capacity.shape == positions
