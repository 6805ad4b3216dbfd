"""Tiny networks of `transformers` of every family of images, saved to a folder with a processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BeitConfig,
    BeitForImageClassification,
    ConvNextConfig,
    ConvNextForImageClassification,
    ConvNextImageProcessor,
    DetrConfig,
    DetrForObjectDetection,
    DetrImageProcessor,
    Dinov2Config,
    Dinov2ForImageClassification,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerImageProcessor,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
    YolosConfig,
    YolosForObjectDetection,
    YolosImageProcessor,
)

NAMES = ("background", "cat", "dog")
LABELS = {"id2label": dict(enumerate(NAMES)), "label2id": {n: i for i, n in enumerate(NAMES)}}
STAGES = {"hidden_sizes": [16, 24, 32, 48], "depths": [1, 1, 2, 1]}
TOKENS = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 4,
}
RESNET = {"embedding_size": 16, "layer_type": "basic", **STAGES}


def _of(config: Any, network: Any, processor: Any, size: dict[str, int], **keys: Any) -> Any:
    def make() -> tuple[Any, Any]:
        return network(config(**LABELS, **keys)), processor(size=size)

    return make


def _detr() -> tuple[Any, Any]:
    backbone = ResNetConfig(out_features=["stage4"], **RESNET)
    keys: dict[str, Any] = {
        f"{side}_{key}": value
        for side in ("encoder", "decoder")
        for key, value in (("layers", 2), ("attention_heads", 4), ("ffn_dim", 64))
    }
    config = DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=32,
        num_queries=10,
        **keys,
        **LABELS,
    )
    size = {"shortest_edge": 64, "longest_edge": 96}
    return DetrForObjectDetection(config), DetrImageProcessor(size=size)


SQUARE, SHORT = {"height": 32, "width": 32}, {"shortest_edge": 64}
LONG = {"height": 64, "width": 64}
YOLOS = {**TOKENS, "image_size": [64, 96], "patch_size": 8, "num_detection_tokens": 10}
SWIN = {"image_size": 64, "patch_size": 2, "embed_dim": 16, "window_size": 4}

FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "vit": _of(ViTConfig, ViTForImageClassification, ViTImageProcessor, SQUARE, **TOKENS),
    "dinov2": _of(Dinov2Config, Dinov2ForImageClassification, ViTImageProcessor, SQUARE, **TOKENS),
    "registers": _of(
        Dinov2WithRegistersConfig,
        Dinov2WithRegistersForImageClassification,
        ViTImageProcessor,
        SQUARE,
        num_register_tokens=4,
        **TOKENS,
    ),
    "beit": _of(BeitConfig, BeitForImageClassification, ViTImageProcessor, SQUARE, **TOKENS),
    "swin": _of(
        SwinConfig,
        SwinForImageClassification,
        ViTImageProcessor,
        LONG,
        depths=[2, 2, 4],
        num_heads=[2, 4, 8],
        **SWIN,
    ),
    "convnext": _of(
        ConvNextConfig, ConvNextForImageClassification, ConvNextImageProcessor, SHORT, **STAGES
    ),
    "resnet": _of(
        ResNetConfig, ResNetForImageClassification, ConvNextImageProcessor, SHORT, **RESNET
    ),
    "segformer": _of(
        SegformerConfig,
        SegformerForSemanticSegmentation,
        SegformerImageProcessor,
        LONG,
        num_attention_heads=[1, 2, 2, 4],
        decoder_hidden_size=32,
        **STAGES,
    ),
    "detr": _detr,
    "yolos": _of(
        YolosConfig,
        YolosForObjectDetection,
        YolosImageProcessor,
        {"shortest_edge": 64, "longest_edge": 96},
        **YOLOS,
    ),
}
"""By name, what makes a network and the processor of its images."""


def save(family: str, folder: Path) -> Path:
    """Save a network with random weights and its processor, and return the folder."""
    torch.manual_seed(0)
    network, processor = FAMILIES[family]()
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
