"""The images that dependencies bring, and crops of them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch

from input_iba.datasets import SampleDataset, build_dataset
from input_iba.datasets.samples import NAMES, sample_image
from input_iba.errors import ConfigError, InputIBAError, MissingExtraError

RESIZE = [{"type": "Resize", "height": 32, "width": 32}]


def samples(**keys: Any) -> SampleDataset:
    return build_dataset({"type": "Samples", "pipeline": RESIZE, **keys})


def crops(**keys: Any) -> SampleDataset:
    return build_dataset({"type": "SampleCrops", "pipeline": RESIZE, "n": 12, **keys})


def test_six_images() -> None:
    dataset = samples()
    assert dataset.ids == list(NAMES)
    assert dataset.class_names is not None
    assert len(dataset.class_names) == 1000
    inputs = torch.stack([dataset[i].input for i in range(6)])
    assert inputs.shape == (6, 3, 32, 32)
    assert len({tuple(x.flatten().tolist()) for x in inputs}) == 6
    assert all(dataset[i].target is None for i in range(6))
    camera = dataset[1].input
    assert torch.equal(camera[0], camera[2]), "the grey image became RGB"


def test_names_and_targets() -> None:
    dataset = samples(names=["rocket", "chelsea"], targets={"chelsea": "Egyptian_cat", "rocket": 9})
    assert dataset.ids == ["rocket", "chelsea"]
    assert [dataset[0].target, dataset[1].target] == [9, 285]
    assert dataset.fingerprint() != samples(names=["rocket", "chelsea"]).fingerprint()


def test_class_names_of_a_file() -> None:
    dataset = samples(
        names=["chelsea"],
        ind_to_cls_file="resources/imagenet_class_index.json",
        targets={"chelsea": "tabby"},
    )
    assert dataset[0].target == 281
    assert dataset.class_names is not None
    assert dataset.class_names[2] == "great_white_shark"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"names": ["coffe"]}, "Closest: 'coffee'"),
        ({"names": []}, "list of different images"),
        ({"names": "coffee"}, "list of different images"),
        ({"names": ["coffee", "coffee"]}, "list of different images"),
        ({"targets": {"coffe": 1}}, "Closest: 'coffee'"),
        ({"targets": {"coffee": 1000}}, "0 to 999"),
        ({"targets": {"coffee": "expresso"}}, "Closest: 'espresso'"),
        (
            {
                "targets": {"coffee": "crane"},
                "ind_to_cls_file": "resources/imagenet_class_index.json",
            },
            r"134 crane \(n02012849\) or 517 crane \(n03126707\)",
        ),
    ],
)
def test_what_errors_say(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        samples(**keys)


def test_crops_take_turns_and_differ() -> None:
    dataset = crops()
    assert dataset.ids[:7] == [*(f"{name}_{i:02d}" for i, name in enumerate(NAMES)), "coffee_06"]
    inputs = {tuple(dataset[i].input.flatten().tolist()) for i in range(12)}
    assert len(inputs) == 12
    assert dataset[0].target is None


def test_a_crop_depends_on_seed_and_position_only() -> None:
    first, again = crops(), crops()
    expected = again[7].input
    first[3]
    torch.rand(5)
    assert torch.equal(first[7].input, expected)
    assert torch.equal(crops(n=50)[7].input, expected)
    assert not torch.equal(crops(seed=1)[7].input, expected)
    assert crops(seed=1).fingerprint() != first.fingerprint() == again.fingerprint()


def test_scale_of_crops() -> None:
    whole = sample_image("coffee")
    for share in (0.1, 0.5):
        dataset = crops(names=["coffee"], scale=(share, share), pipeline=[])
        for i in range(12):
            _, height, width = dataset[i].input.shape
            assert height * width / (whole.width * whole.height) == pytest.approx(share, rel=0.05)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"n": 0}, "at least 1"), ({"scale": (0.5, 0.1)}, "shares"), ({"sead": 1}, "'seed'")],
)
def test_what_errors_of_crops_say(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputIBAError, match=message):
        crops(**keys)


def test_missing_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_image.cache_clear()
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingExtraError, match=r"input-iba\[samples\]"):
        samples()
    assert len(samples(names=["grace_hopper"])) == 1
