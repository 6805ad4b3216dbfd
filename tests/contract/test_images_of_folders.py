"""Networks of images that transformers loads: the grid at the chosen layer, and at others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import (
    ViTConfig,
    ViTForImageClassification,
    YolosConfig,
    YolosForObjectDetection,
    __version__,
)

from input_iba import InputIBA
from input_iba.attribution import FeatureIBA, InputBottleneck, Preset, SaliencyPrior
from input_iba.errors import AttributionError
from tests.conftest import Unchanged
from tests.contract.family import awaken
from tests.models.transformers_families import FAMILIES, TOKENS, YOLOS

SHORT = Preset(
    FeatureIBA(opt_steps=2, batch_size=2),
    SaliencyPrior(),
    InputBottleneck(opt_steps=2, batch_size=2),
)
WIDE, TALL = (32, 48), (96, 64)

BEFORE_5 = {
    "vit.layers.4": "vit.encoder.layer.4",
    "segformer.stages.0": "segformer.encoder.layer_norm.0",
    "segformer.stages.2": "segformer.encoder.layer_norm.2",
    "model.backbone.model.encoder.stages.2": "model.backbone.conv_encoder.model.encoder.stages.2",
}
"""What transformers 4 calls layers that have other names in transformers 5."""


def called(layer: str) -> str:
    """Return the name of a layer in the transformers that is installed."""
    return BEFORE_5.get(layer, layer) if int(__version__.split(".")[0]) < 5 else layer


def network(family: str) -> Any:
    torch.manual_seed(0)
    return awaken(FAMILIES[family]()[0])


def explained(net: Any, size: tuple[int, int], layer: str | None = None) -> tuple[Any, Any]:
    iba = InputIBA(net, layer, preset=SHORT).fit(torch.randn(4, 3, *size))
    return iba.layer, iba.attribute(torch.randn(2, 3, *size))[1].feature_capacity.shape


@pytest.mark.parametrize(
    ("family", "size", "layer", "grid"),
    [
        ("dinov2", WIDE, "dinov2.encoder.layer.3", (8, 12)),  # interpolates its positions
        ("registers", WIDE, "dinov2_with_registers.encoder.layer.3", (8, 12)),
        ("swin", TALL, "swin.encoder.layers.2.blocks.3", (12, 8)),
        ("convnext", TALL, "convnext.encoder.stages.2", (6, 4)),
        ("resnet", TALL, "resnet.encoder.stages.2", (6, 4)),
        ("segformer", TALL, "segformer.stages.2", (6, 4)),
        ("detr", TALL, "model.backbone.model.encoder.stages.2", (6, 4)),
    ],
)
def test_a_layer_with_a_grid_is_chosen_for_images_that_are_not_square(
    family: str, size: tuple[int, int], layer: str, grid: tuple[int, int]
) -> None:
    assert explained(network(family), size) == (called(layer), grid)


def test_transformers_made_for_images_that_are_not_square_have_their_grid() -> None:
    deep: dict[str, Any] = {**TOKENS, "num_hidden_layers": 6, "image_size": WIDE}
    net = awaken(ViTForImageClassification(ViTConfig(**deep)))
    assert explained(net, WIDE) == (called("vit.layers.4"), (8, 12))
    deep = {**YOLOS, "num_hidden_layers": 6}
    net = awaken(YolosForObjectDetection(YolosConfig(**deep)))
    assert explained(net, (64, 96)) == ("vit.encoder.layer.4", (8, 12))


@pytest.mark.parametrize(
    ("family", "size", "layer", "grid"),
    [
        ("yolos", (64, 96), "vit.embeddings.patch_embeddings", (8, 12)),  # before other tokens come
        ("yolos", (64, 96), "vit.encoder.layer.1.attention", (8, 12)),
        ("detr", (128, 192), "model.encoder.layers.0", (4, 6)),
        ("segformer", TALL, "segformer.stages.0", (24, 16)),
        ("segformer", TALL, "decode_head.activation", (24, 16)),
        ("swin", TALL, "swin.encoder.layers.0.blocks.1", (48, 32)),
    ],
)
def test_other_layers_have_their_grids_too(
    family: str, size: tuple[int, int], layer: str, grid: tuple[int, int]
) -> None:
    assert explained(network(family), size, called(layer))[1] == grid


def test_a_layer_is_refused_behind_which_only_tokens_of_detections_are_read() -> None:
    with pytest.raises(AttributionError, match="does not depend on that layer"):
        explained(network("yolos"), (64, 96), "vit.layernorm")


@pytest.mark.parametrize("family", ["segformer", "yolos", "detr"])
def test_a_network_comes_back_after_an_exception(family: str, unchanged: Unchanged) -> None:
    net, images = network(family), torch.randn(1, 3, 64, 96)
    iba = InputIBA(net, preset=SHORT).fit(torch.randn(4, 3, 64, 96))
    images[0, 0, 0, 0] = torch.nan
    with unchanged(net), pytest.raises(AttributionError):
        iba.attribute(images)
