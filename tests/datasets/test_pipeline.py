"""Pipelines: published ones as they are, boxes that follow, errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from input_iba.datasets import Pipeline
from input_iba.errors import ConfigError, InputIBAError
from tests.datasets.pictures import gradient

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pixels(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def marked(box: tuple[int, int, int, int], size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Return a black image with a white rectangle."""
    image = Image.new("RGB", size)
    image.paste((255, 255, 255), box)
    return image


def extent(image: Tensor) -> list[int]:
    """Return the rectangle of the bright pixels, x1, y1, x2, y2."""
    rows, columns = torch.nonzero(image[0] > 127, as_tuple=True)
    low = [int(columns.min()), int(rows.min())]
    return [*low, int(columns.max()) + 1, int(rows.max()) + 1]


def test_published_pipeline() -> None:
    pipeline = Pipeline(
        [
            {"type": "Resize", "height": 224, "width": 224, "always_apply": True},
            {"type": "Normalize", "always_apply": True, "mean": MEAN, "std": STD},
            {"type": "ToTensorV2"},
        ]
    )
    inputs, image, boxes = pipeline(gradient(300, 200))
    assert inputs.shape == image.shape == (3, 224, 224)
    assert inputs.dtype == torch.float32
    assert image.dtype == torch.uint8
    assert boxes is None
    resized = gradient(300, 200).resize((224, 224), Image.Resampling.BILINEAR)
    assert torch.equal(image, pixels(resized))
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    torch.testing.assert_close(inputs, (image / 255 - mean) / std)


def test_without_normalize_inputs_lie_in_0_1() -> None:
    inputs, image, _ = Pipeline([])(gradient())
    torch.testing.assert_close(inputs, pixels(gradient()) / 255)
    assert torch.equal(image, pixels(gradient()))


def test_max_pixel_value() -> None:
    step = {"type": "Normalize", "mean": 0.5, "std": 0.5, "max_pixel_value": 510.0}
    inputs, _, _ = Pipeline([step])(gradient())
    torch.testing.assert_close(inputs, (pixels(gradient()) - 255.0) / 255.0)


def test_old_to_tensor_normalises() -> None:
    old = Pipeline([{"type": "ToTensor", "normalize": {"mean": MEAN, "std": STD}}])
    new = Pipeline([{"type": "Normalize", "mean": MEAN, "std": STD}])
    assert torch.equal(old(gradient())[0], new(gradient())[0])


def test_grey_images() -> None:
    pipeline = Pipeline([{"type": "Normalize", "mean": [0.1], "std": [0.3]}])
    inputs, image, _ = pipeline(gradient().convert("L"))
    assert inputs.shape == (1, 6, 8)
    assert image.shape == (3, 6, 8)
    torch.testing.assert_close(inputs[0], (image[1] / 255 - 0.1) / 0.3)
    with pytest.raises(ConfigError, match=r"1 channel.*`mean` has 3"):
        Pipeline([{"type": "Normalize"}])(gradient().convert("L"))


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ([{"type": "Resize", "height": 60, "width": 120}], (60, 120)),
        ([{"type": "SmallestMaxSize", "max_size": 60}], (60, 80)),
        ([{"type": "LongestMaxSize", "max_size": 80}], (60, 80)),
        ([{"type": "CenterCrop", "height": 26, "width": 36}], (26, 36)),
        ([{"type": "CenterCrop", "height": 50, "width": 60}], (50, 60)),
        ([{"type": "PadIfNeeded", "min_height": 50, "min_width": 30}], (50, 40)),
        ([{"type": "HorizontalFlip", "p": 1}], (30, 40)),
        ([{"type": "VerticalFlip", "always_apply": True, "p": 0}], (30, 40)),
        ([{"type": "RandomCrop", "height": 29, "width": 38}], (29, 38)),
        ([{"type": "RandomResizedCrop", "height": 60, "width": 60, "scale": (0.9, 1.0)}], (60, 60)),
        ([{"type": "Resize", "height": 90, "width": 90, "p": 0}], (30, 40)),
        (
            [{"type": "SmallestMaxSize", "max_size": 60}, {"type": "HorizontalFlip", "p": 1}],
            (60, 80),
        ),
    ],
)
def test_boxes_follow_the_image(steps: list[dict[str, Any]], size: tuple[int, int]) -> None:
    box = (6, 8, 16, 14)
    _, image, boxes = Pipeline(steps)(marked(box), torch.tensor([box]), seed=3)
    assert image.shape == (3, *size)
    assert boxes is not None
    assert boxes.dtype == torch.float32
    found = torch.tensor(extent(image), dtype=torch.float32)
    assert (found - boxes[0]).abs().max() <= 1


def test_boxes_outside_a_crop_are_left_out() -> None:
    boxes = torch.tensor([[0, 0, 4, 4], [8, 8, 30, 20]])
    pipeline = Pipeline([{"type": "CenterCrop", "height": 20, "width": 20}])
    _, _, kept = pipeline(marked((0, 0, 4, 4)), boxes)
    assert kept is not None
    assert kept.tolist() == [[0.0, 3.0, 20.0, 15.0]]


def test_random_transforms_depend_on_the_seed_alone() -> None:
    pipeline = Pipeline([{"type": "RandomCrop", "height": 10, "width": 10}])
    image = gradient(64, 48)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = pipeline(image, seed=5)[0]
    assert torch.equal(torch.get_rng_state(), before), "the caller's random numbers changed"
    torch.manual_seed(2)
    assert torch.equal(pipeline(image, seed=5)[0], first)
    assert any(not torch.equal(pipeline(image, seed=s)[0], first) for s in range(6, 12))


def test_probability() -> None:
    flip = Pipeline([{"type": "HorizontalFlip"}])
    plain = flip(gradient(), seed=0)[1]
    kinds = {tuple(flip(gradient(), seed=s)[1][0, 0].tolist()) for s in range(20)}
    assert len(kinds) == 2
    assert tuple(plain[0, 0].tolist()) in kinds


def test_torchvision_preset_equals_torchvision() -> None:
    from torchvision.models import ResNet50_Weights

    name = "ResNet50_Weights.IMAGENET1K_V2"
    inputs, image, _ = Pipeline([{"type": "TorchvisionPreset", "weights": name}])(
        gradient(320, 280)
    )
    expected = ResNet50_Weights.IMAGENET1K_V2.transforms()(gradient(320, 280))
    torch.testing.assert_close(inputs, expected)
    assert image.shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"type": "Resise", "height": 1, "width": 1}], "Closest: 'Resize'"),
        ([{"type": "Resize", "hieght": 1, "width": 1}], "Closest: 'height'"),
        ([{"type": "Resize", "height": 1}], "width"),
        ([{"height": 1}], "needs the key 'type'"),
        ([{"type": "Resize", "height": 1, "width": 1, "interpolation": "bilinar"}], "bilinear"),
        ([{"type": "Normalize"}, {"type": "Normalize"}], "normalise once"),
        ([{"type": "Normalize", "std": [0.1, 0.0, 0.1]}], "must be positive"),
        ([{"type": "Normalize", "mean": "imagenet"}], "number or one per channel"),
        ([{"type": "Normalize", "p": 0.5}], "two kinds"),
        ([{"type": "ToTensor", "normalize": {"men": 1}}], "Closest: 'mean'"),
        (
            [{"type": "TorchvisionPreset", "weights": "ResNet50_Weights.IMAGENET1K_V3"}],
            "Closest: 'ResNet50_Weights.IMAGENET1K_V",
        ),
        ([{"type": "ColorJitter", "hue": 0.7}], "'ColorJitter' cannot be built.*hue"),
        ({"type": "Resize", "height": 1, "width": 1}, "is a list of transforms"),
    ],
)
def test_what_errors_say(steps: Any, message: str) -> None:
    with pytest.raises(InputIBAError, match=message):
        Pipeline(steps)
