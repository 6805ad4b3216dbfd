"""The front door: two lines for images, photographs, texts and token ids; what it refuses."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import BertConfig, BertForSequenceClassification

import input_iba
from input_iba.attribution import (
    FAST,
    FAST_TEXT,
    PAPER,
    FeatureIBA,
    InputBottleneck,
    Preset,
    SaliencyPrior,
)
from input_iba.attribution.presets import as_config
from input_iba.errors import AttributionError, ConfigError, DataError
from input_iba.records import Failure
from tests.conftest import Unchanged
from tests.models.tiny_tokenizers import byte_level

SHORT = Preset(
    FeatureIBA(opt_steps=3, batch_size=2),
    SaliencyPrior(),
    InputBottleneck(opt_steps=3, batch_size=2),
    n_samples=40,
)


class Spot(nn.Module):
    """Tells by the brightness of one spot that an image is of class 1, and says so surely."""

    def __init__(self, channels: int = 3, classes: int = 4) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(channels, 8, 3, padding=1)
        self.fc = nn.Linear(8, classes)
        nn.init.constant_(self.conv.weight, 1 / (9 * channels))
        nn.init.constant_(self.conv.bias, -0.5)  # type: ignore[arg-type]
        self.fc.weight.data = torch.eye(classes)[1][:, None].expand(classes, 8).clone()
        self.fc.bias.data = -3 * torch.eye(classes)[1]

    def forward(self, x: Tensor) -> Tensor:
        seen = self.conv(x).relu()[..., 4:12, 20:28].mean((2, 3))
        logits: Tensor = self.fc(seen)
        return logits


def images(count: int = 2, channels: int = 3) -> Tensor:
    """Return noise that is bright where `Spot` looks."""
    noise = torch.randn(count, channels, 32, 32, generator=torch.Generator().manual_seed(0))
    noise[:, :, 4:12, 20:28] += 1.5
    return noise


def on_the_spot(mask: Tensor) -> float:
    """Return the share of the 64 hottest pixels that lie where the network looks, of 1,024."""
    hottest = mask.flatten().topk(64).indices
    rows, columns = hottest // 32, hottest % 32
    there = (rows >= 4) & (rows < 12) & (columns >= 20) & (columns < 28)
    return float(there.float().mean())


def test_two_lines_find_the_spot() -> None:
    net = Spot()
    found = input_iba.explain(net, images())
    assert found.maps.shape == (2, 1, 32, 32)
    assert all(on_the_spot(mask[0]) > 0.5 for mask in found.maps)
    assert all(on_the_spot(record.feature_mask) > 0.8 for record in found)
    assert [record.target for record in found] == net(images()).argmax(1).tolist()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("family", ["resnet18", "vit"])
def test_a_captum_users_lines_work(family: str, channels: int) -> None:
    torch.manual_seed(0)
    net: nn.Module
    if family == "resnet18":
        net = torchvision.models.resnet18(num_classes=5)
        net.conv1 = nn.Conv2d(channels, 64, 7, 2, 3)
    else:
        net = torchvision.models.VisionTransformer(*(32, 8, 6, 2, 16, 32), num_classes=5)
        net.conv_proj = nn.Conv2d(channels, 16, 8, 8)
        nn.init.normal_(net.get_parameter("heads.head.weight"))
    iba = input_iba.InputIBA(net, preset=SHORT)
    found = iba.attribute(images(1, channels)[0], target=3)
    assert found.maps.shape == (1, 1, 32, 32)
    assert found[0].target == 3
    assert iba.layer == {"resnet18": "layer2", "vit": "encoder.layers.encoder_layer_4"}[family]


def bert() -> nn.Module:
    torch.manual_seed(0)
    small: dict[str, Any] = {"vocab_size": 420, "hidden_size": 16, "num_hidden_layers": 4}
    labels = {"id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}}
    config = BertConfig(
        **small, num_attention_heads=2, intermediate_size=32, pad_token_id=1, **labels
    )
    net: nn.Module = BertForSequenceClassification(config)
    return net


TEXTS = ["A great film and fun.", "so dull"]


def test_texts_with_a_tokenizer() -> None:
    net, tokenizer = bert(), byte_level()
    found = input_iba.explain(net, TEXTS, "good", tokenizer=tokenizer, preset=SHORT)
    assert len(found) == 2
    assert found.maps.shape[0] == 2
    assert found[0].target == 1
    assert [word for word, _ in found[1].words] == ["so", "dull"]
    one = input_iba.explain(net, TEXTS[0], "good", tokenizer=tokenizer, preset=SHORT)
    assert len(one) == 1
    with pytest.raises(ConfigError, match=r"'god' does not exist.*Closest: 'good'"):
        input_iba.explain(net, TEXTS, "god", tokenizer=tokenizer, preset=SHORT)
    with pytest.raises(DataError, match="tokenizer="):
        input_iba.explain(net, TEXTS)


def test_a_tokenizer_without_padding_stays_the_callers_own() -> None:
    tokenizer = byte_level(pad=None)
    found = input_iba.explain(bert(), TEXTS, tokenizer=tokenizer, preset=SHORT)
    assert len(found) == 2
    assert tokenizer.pad_token is None
    with pytest.raises((ConfigError, DataError), match=r"empty|no word") as said:
        input_iba.explain(bert(), [" "], tokenizer=tokenizer, preset=SHORT)
    assert "--text" not in str(said.value)


def test_token_ids_of_a_transformer() -> None:
    ids = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 1, 1]])
    iba = input_iba.InputIBA(bert(), preset=SHORT).fit([ids[:1], ids[1:]])
    found = iba.attribute(ids, target=1)
    assert found.maps.shape == (2, 5)
    assert iba.layer == "bert.encoder.layer.2"


@pytest.mark.parametrize(
    "data",
    [
        lambda x, y: x,
        lambda x, y: DataLoader(TensorDataset(x, y), batch_size=8),
        lambda x, y: DataLoader(TensorDataset(x), batch_size=8),
        TensorDataset,
        lambda x, y: [{"label": 1, "pixel_values": one} for one in x],
        lambda x, y: list(x),
        lambda x, y: iter(x.split(5)),
    ],
    ids=["tensor", "loader", "loader without labels", "data set", "dicts", "list", "generator"],
)
def test_statistics_are_the_same_from_whatever_yields_inputs(data: Any) -> None:
    x, y = images(20), torch.zeros(20)
    expected = input_iba.InputIBA(Spot(), "conv", preset=SHORT).fit(x).statistics
    found = input_iba.InputIBA(Spot(), "conv", preset=SHORT).fit(data(x, y)).statistics
    assert expected is not None
    assert found is not None
    assert found.count == expected.count == 20
    torch.testing.assert_close(found.mean, expected.mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.std, expected.std, rtol=1e-5, atol=1e-6)


def test_photographs_need_what_makes_tensors_of_them() -> None:
    photograph = Image.new("RGB", (64, 64), (250, 240, 230))
    with pytest.raises(DataError, match="transform="):
        input_iba.explain(Spot(), photograph, preset=SHORT)
    transform = torchvision.transforms.Compose(
        [torchvision.transforms.Resize(32), torchvision.transforms.ToTensor()]
    )
    found = input_iba.explain(Spot(), photograph, transform=transform, preset=SHORT)
    assert found[0].picture is not None
    assert found[0].picture[:, 0, 0].tolist() == [250, 240, 230]


def test_what_is_found_is_shown_saved_and_loaded(tmp_path: Path) -> None:
    net = Spot()
    iba = input_iba.InputIBA(net, preset=SHORT, class_names=["a", "b <i>", "c", "d"])
    with pytest.raises(AttributionError, match="fit"):
        iba.save(tmp_path / "net.iba")
    found = iba.fit(images(20)).attribute(images(), target="b <i>")
    found[0].save(tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as image:
        assert image.width > 300
    page = found.to_html(tmp_path / "all.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 12
    assert "b &lt;i&gt;" in page
    again = input_iba.InputIBA.load(iba.save(tmp_path / "net.iba"), net, preset=SHORT)
    assert again.layer == iba.layer
    assert torch.equal(again.attribute(images(), target=1).maps, found.maps)
    nn.init.zeros_(net.fc.weight)
    with pytest.raises(ConfigError, match="other weights"):
        input_iba.InputIBA.load(tmp_path / "net.iba", net)
    (tmp_path / "bad.iba").write_bytes(b"PK\x03\x04 no statistics")
    with pytest.raises(DataError, match="does not hold fitted statistics"):
        input_iba.InputIBA.load(tmp_path / "bad.iba", net)


def test_a_failure_raises_unless_it_is_asked_for() -> None:
    x = images()
    x[1, 0, 0, 0] = torch.nan
    iba = input_iba.InputIBA(Spot(), "conv", preset=SHORT).fit(images(20))
    with pytest.raises(AttributionError, match=r"1 of 2 inputs.*'1'.*on_error"):
        iba.attribute(x)
    found = iba.attribute(x, on_error="return")
    assert isinstance(found.records[1], Failure)
    assert bool(found.maps[1].isnan().all())
    assert not bool(found.maps[0].isnan().any())
    with pytest.raises(ConfigError, match="on_error is one of"):
        iba.attribute(x, on_error="ignore")


def test_what_is_odd_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    iba = input_iba.InputIBA(Spot(), preset=SHORT)
    with caplog.at_level(logging.WARNING):
        iba.attribute(images(1))
        iba.attribute(images(1))
    assert caplog.text.count("No fit() came before") == 1
    with pytest.raises(ConfigError, match=r"Unknown preset 'fats'.*Closest: 'fast'"):
        input_iba.InputIBA(Spot(), preset="fats")


def test_the_model_comes_back_as_it_was(unchanged: Unchanged) -> None:
    net = Spot().train()
    net.conv.weight.requires_grad_(False)
    with unchanged(net):
        input_iba.explain(net, images(), preset=SHORT)


def test_the_config_presets_are_the_instances() -> None:
    config = as_config("fast")
    prior = {"type": "SaliencyPrior", "low": 0.25, "high": 0.75, "verbose": False}
    assert config["attributor"]["gan"] == prior
    assert config["attribution_cfg"]["gan"] == {}
    assert config["attribution_cfg"]["input_iba"]["opt_steps"] == FAST.input_iba.opt_steps == 20
    text = as_config("fast", kind="texts")
    assert text["attributor"]["gan"]["low"] == FAST_TEXT.prior.low == 0.45  # type: ignore[attr-defined]
    assert text["attributor"]["input_iba"]["relative_noise"] is FAST_TEXT.input_iba.relative_noise
    published = as_config("paper")["attribution_cfg"]
    assert published["gan"]["weight_clip"] == 0.01
    assert published["input_iba"]["opt_steps"] == PAPER.input_iba.opt_steps == 60
