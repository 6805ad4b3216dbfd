"""The layer that is chosen for a classifier: known families, blocks, and the rule for others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, layer_shapes
from input_iba.errors import ConfigError
from input_iba.modality.layer_choice import choose_layer
from input_iba.models import build_classifier
from input_iba.models.named import named_model


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("efficientnet_lite0", "_blocks.10", (112, 14, 14)),
        ("resnet18", "layer2", (128, 28, 28)),
        ("mobilenet_v3_small", "features.8", (48, 14, 14)),
        ("shufflenet_v2_x0_5", "stage3", (96, 14, 14)),
        ("squeezenet1_1", "features", (512, 13, 13)),
        ("timm/vit_tiny_patch16_224", "blocks.8", (197, 192)),
    ],
)
def test_layers_of_architectures(name: str, layer: str, shape: tuple[int, ...]) -> None:
    model = named_model(name)
    net = build_classifier({"source": model.source, "type": model.type})
    assert choose_layer(net, model.size) == layer
    assert layer_shapes(net, torch.zeros(1, 3, model.size, model.size))[layer] == [shape]


@pytest.mark.parametrize("name", ["vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg19", "vgg19_bn"])
def test_of_every_vgg_it_is_the_first_convolution_of_the_fourth_block(name: str) -> None:
    with torch.device("meta"):
        net = build_classifier({"source": "torchvision", "type": name})
    layer = choose_layer(net, 224)
    names = list(dict(net.named_modules()))
    pools = [n for n in names if n and isinstance(find_layer(net, n), nn.MaxPool2d)]
    assert isinstance(find_layer(net, layer), nn.Conv2d)
    assert int(layer.split(".")[1]) == int(pools[2].split(".")[1]) + 1


class Pyramid(nn.Module):
    """Halves the map at every step, and ends in a step that keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(*(nn.Conv2d(3, 3, 2, 2) for _ in range(5)))
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.steps(x).mean((2, 3)))
        return logits


def test_an_unknown_network_gets_the_last_map_of_a_sixteenth() -> None:
    assert choose_layer(Pyramid(), 64) == "steps.3"


def test_without_maps_there_is_nothing_to_choose() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    with pytest.raises(ConfigError, match="Give the name of one"):
        choose_layer(net, 4)


def test_residual_networks_of_other_places_get_the_end_of_their_second_stage() -> None:
    net = build_classifier({"source": "timm", "type": "resnet10t", "num_classes": 3})
    assert choose_layer(net, 64) == "layer2"
