"""Networks by the names of folders: built, prepared, and explained as their families ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba import InputIBA, Preset
from input_iba.attribution import FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.attribution.loaded import load_model
from input_iba.errors import CheckpointError, ConfigError
from tests.conftest import Unchanged
from tests.models.tiny_bert import tiny_bert, tokenizer
from tests.models.transformers_families import FAMILIES, NAMES, save

SHORT = Preset(
    FeatureIBA(opt_steps=3, batch_size=4),
    SaliencyPrior(),
    InputBottleneck(opt_steps=3, batch_size=4),
    n_samples=16,
)
ASKED = {"segformer": "segment of", "detr": "in box", "yolos": "in box"}
LAYERS = {
    "vit": "vit.layers.2",
    "dinov2": "dinov2.encoder.layer.3",
    "registers": "dinov2_with_registers.encoder.layer.3",
    "beit": "beit.layers.",
    "swin": "swin.encoder.layers.2.blocks",
    "convnext": "convnext.encoder.stages.2",
    "resnet": "resnet.encoder.stages.2",
    "yolos": "vit.encoder.layer.",
}


def picture(seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_of_images_is_explained_by_its_folder(
    family: str, tmp_path: Path, unchanged: Unchanged
) -> None:
    loaded = load_model(str(save(family, tmp_path)))
    prepare = loaded.transform
    assert prepare is not None
    # Or rounding, which differs with the batch, would take Adam elsewhere.
    net = loaded.model.double()
    iba = InputIBA(net, transform=lambda image: prepare(image).double(), preset=SHORT)
    net(prepare(picture()).double()[None])  # with a first pass, networks note what they need again
    with unchanged(net):
        found = iba.attribute([picture(0), picture(1)], ids=["a", "b"])
    records: list[Any] = list(found)
    assert iba.layer is not None
    assert iba.layer.startswith(LAYERS.get(family, ""))
    for record, seed in zip(records, (0, 1), strict=True):
        alone = iba.attribute(picture(seed), ids=["ab"[seed]])[0]
        torch.testing.assert_close(record.map, alone.map, rtol=1e-5, atol=1e-7)
        said = ASKED.get(family)
        if said is None:
            assert record.prediction is not None
            assert record.class_name(record.prediction) in NAMES
        else:
            assert said in record.asked
            assert any(name in record.asked for name in NAMES)
    if family in ("detr", "yolos"):
        assert found.maps.shape == (2, 1, 64, 96)  # in the image's own proportions


def test_a_model_can_be_given_by_its_name(tmp_path: Path) -> None:
    iba = InputIBA(save("vit", tmp_path), preset=SHORT)
    found = iba.attribute(picture(), "dog")[0]
    assert found.title().startswith("dog: ")
    tiny_bert().save_pretrained(tmp_path / "bert")
    tokenizer().save_pretrained(tmp_path / "bert")
    text = InputIBA(str(tmp_path / "bert"), preset=SHORT).attribute("a fine film")[0]
    assert [word for word, _ in text.words] == ["a", "fine", "film"]


def test_a_processor_says_how_images_are_prepared(tmp_path: Path) -> None:
    from transformers import AutoImageProcessor

    for family in ("vit", "convnext", "segformer"):
        folder = save(family, tmp_path / family)
        loaded = load_model(str(folder))
        assert loaded.transform is not None
        own = AutoImageProcessor.from_pretrained(folder)
        expected = own(images=picture(), return_tensors="pt")["pixel_values"][0]
        found = loaded.transform(picture())
        assert found.shape == expected.shape
        assert (found - expected).abs().mean() < 0.05  # rounding, and another anti-aliasing


def test_what_is_missing_in_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Nothing could be loaded"):
        load_model(str(tmp_path))
    folder = save("vit", tmp_path / "vit")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json"):
        load_model(str(folder))
    folder = save("vit", tmp_path / "again")
    (folder / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="Nothing could be loaded"):
        load_model(str(folder))
    with pytest.raises(ConfigError, match="Closest: 'efficientnet_lite0'"):
        load_model("efficentnet_lite0")
