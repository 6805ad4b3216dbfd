"""Which layers an explainer reads."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.head import find_head
from input_iba.core.tokens import NO_TOKENS
from input_iba.core.watched import Tap
from input_iba.errors import ConfigError
from input_iba.modality import Modality, TextModality, VisionModality
from input_iba.modality.several import SeveralModality
from input_iba.models.deep_lstm import DeepLSTM
from tests.attribution.shapes import SIDES, network
from tests.attribution.text_nets import PAD
from tests.attribution.tiny_vit import TinyViT


def taps(model: nn.Module, inputs: Tensor, modality: Modality) -> tuple[Tap, ...]:
    """Return what a modality chooses on the first of some inputs."""
    model = model.eval()
    values, tokens = modality.enter(model, inputs[:1])

    def run() -> Any:
        return modality.run(model, values, tokens)

    with torch.no_grad():
        head = find_head(model, run) if isinstance(run(), Tensor) else None
        return modality.taps(model, values, tokens, run, None if head is None else head.read)


def shapes(model: nn.Module, found: tuple[Tap, ...], inputs: Tensor) -> list[tuple[int, ...]]:
    seen: dict[str, tuple[int, ...]] = {}
    for tap in found:
        model.get_submodule(tap.layer).register_forward_hook(
            lambda _m, _i, out, name=tap.layer: seen.__setitem__(name, tuple(out.shape[2:]))
        )
    model(inputs[:1])
    return [seen[tap.layer] for tap in found]


def test_of_a_network_of_stages_one_layer_of_each_size_from_fine_to_coarse() -> None:
    torchvision = pytest.importorskip("torchvision")
    net, x = torchvision.models.resnet18(num_classes=3).eval(), torch.randn(1, 3, 96, 64)
    found = taps(net, x, VisionModality())
    assert [tap.layer.split(".")[0] for tap in found] == ["layer1", "layer2", "layer3", "layer4"]
    assert shapes(net, found, x) == [(24, 16), (12, 8), (6, 4), (3, 2)]


@pytest.mark.parametrize("dims", [1, 2, 3], ids=["signals", "images", "volumes"])
def test_of_any_number_of_dimensions(dims: int) -> None:
    net = network(dims)
    found = taps(net, torch.randn(1, 1, *[SIDES[dims]] * dims), VisionModality())
    assert [tap.layer for tap in found] == ["1", "4"]


# Inside a block of this one three layers are called by number, too.
@pytest.mark.parametrize(("depth", "names"), [(2, (0, 1)), (3, (0, 1, 2)), (12, (2, 5, 8, 11))])
def test_of_a_vision_transformer_blocks_equally_far_apart(
    depth: int, names: tuple[int, ...]
) -> None:
    found = taps(TinyViT(depth=depth), torch.randn(1, 2, 8, 8), VisionModality())
    assert [tap.layer for tap in found] == [f"blocks.{i}" for i in names]


def test_of_a_vision_transformer_of_the_package_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.ViTConfig(
        image_size=16, patch_size=4, num_hidden_layers=6, num_labels=3, **sizes
    )
    net = transformers.ViTForImageClassification(config).eval()
    x = torch.randn(1, 3, 16, 16)
    found = VisionModality().taps(net, x, NO_TOKENS, lambda: net(x), None)
    blocks = [int(tap.layer.rpartition(".")[2]) for tap in found]
    assert blocks == [1, 2, 3, 5]
    assert len({tap.layer.rpartition(".")[0] for tap in found}) == 1


def test_a_network_without_a_map_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 4), nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(ConfigError, match=r"No layer of Sequential puts out a map.*taps="):
        taps(net, torch.randn(1, 3, 4, 4), VisionModality())


def test_of_stacked_recurrent_layers() -> None:
    ids = torch.tensor([[9, 10, 11, 12, 13]])
    deep = DeepLSTM(vocab_size=40, embedding_dim=6, hidden_size=5)
    found = taps(deep, ids, TextModality(pad=PAD))
    assert [tap.layer for tap in found] == ["rnn_1", "rnn_2", "rnn_3", "rnn_4"]


def test_of_a_text_transformer_its_blocks() -> None:
    pytest.importorskip("transformers")
    from tests.models.tiny_bert import tiny_bert

    net = tiny_bert(num_hidden_layers=5).eval()
    modality = TextModality(pad=0, special=(0, 2, 3))
    values, tokens = modality.enter(net, torch.tensor([[2, 6, 7, 8, 3]]))
    found = modality.taps(net, values, tokens, lambda: None, None)
    assert [tap.layer for tap in found] == [f"bert.encoder.layer.{i}" for i in (0, 1, 3, 4)]


def test_several_inputs_are_refused_with_the_remedy() -> None:
    net = nn.Linear(2, 2)
    said = "model has several inputs.*InputIBA.*additional_forward_args="
    with pytest.raises(ConfigError, match=said):
        SeveralModality.taps(object.__new__(SeveralModality), net)
