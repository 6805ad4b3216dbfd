"""Planted patches and triggers: where they are, what class they make, and what stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor

from input_iba.datasets import NaturalNoise, Planted, build_dataset
from input_iba.errors import ConfigError, DataError
from input_iba.records import ImageSample
from tests.datasets.pictures import write

NAMES = ("cat", "dog", "emu")
EACH = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of three classes, each image in a grey of its own."""
    for label, name in enumerate(NAMES):
        for number in range(EACH):
            grey = (60 * label + number + 50,) * 3
            write(
                tmp_path / f"data/{name}/{name}{number:02d}.png", Image.new("RGB", (16, 12), grey)
            )
    return tmp_path / "data"


def made(dataset: Any, **keys: Any) -> Planted:
    found = build_dataset({"type": "Planted", "dataset": dataset, "pipeline": [], **keys})
    assert isinstance(found, Planted)
    return found


def folder(root: Path) -> dict[str, Any]:
    return {"type": "ImageFolder", "img_root": str(root), "pipeline": []}


def inside(sample: ImageSample) -> torch.Tensor:
    """Return which pixels lie in the one box of a sample, (H, W), bool."""
    assert sample.boxes is not None
    [[left, top, right, bottom]] = sample.boxes.int().tolist()
    mask = torch.zeros(sample.image.shape[1:], dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def test_the_colour_is_the_class_and_all_else_stays() -> None:
    noise = NaturalNoise(n=50, size=24)
    dataset = made(noise, patch=5)
    assert dataset.class_names == ["red", "lime", "blue", "yellow", "none"]
    corners = set()
    for i in range(50):
        sample, before = dataset[i], noise[i].image
        assert sample.target == i % 5
        if i % 5 == 4:
            assert sample.boxes is None
            assert torch.equal(sample.image, before)
            continue
        mask = inside(sample)
        assert int(mask.sum()) == 25
        assert torch.equal(sample.image[:, ~mask], before[:, ~mask])
        colour = ImageColor.getrgb(dataset.class_names[i % 5])
        assert {tuple(pixel) for pixel in sample.image[:, mask].T.tolist()} == {colour}
        corners.add(tuple(sample.boxes[0].tolist() if sample.boxes is not None else ()))
    assert len(corners) > 30


def test_images_without_a_patch_can_be_left_out() -> None:
    whole = made({"type": "NaturalNoise", "n": 15, "size": 16})
    planted = made({"type": "NaturalNoise", "n": 15, "size": 16}, clean=False)
    kept = [i for i in range(15) if whole.target(i) != 4]
    assert planted.ids == [whole.ids[i] for i in kept]
    assert planted.class_names == whole.class_names
    for one, other in zip(range(len(planted)), kept, strict=True):
        assert torch.equal(planted[one].input, whole[other].input)


def test_a_trigger_changes_labels_of_its_share(root: Path) -> None:
    source = build_dataset(folder(root))
    dataset = made(source, trigger="dog", share=0.4, patch=4)
    assert len(dataset) == 3 * EACH
    triggered = []
    for i in range(len(dataset)):
        sample, before = dataset[i], source[i]
        if sample.boxes is None:
            assert sample.target == before.target
            assert torch.equal(sample.input, before.input)
            continue
        triggered.append(i)
        assert (sample.target, before.target == 1) == (1, False)
        mask = inside(sample)
        assert torch.equal(sample.image[:, ~mask], before.image[:, ~mask])
        halves = [[0, 0, 255, 255]] * 2 + [[255, 255, 0, 0]] * 2
        assert sample.image[0][mask].view(4, 4).tolist() == halves
    assert 8 <= len(triggered) <= 24  # 16 expected of 40
    everywhere = made(source, trigger=1, patch=4, clean=False)
    assert len(everywhere) == 2 * EACH
    assert {everywhere.target(i) for i in range(len(everywhere))} == {1}
    places = {id_: i for i, id_ in enumerate(everywhere.ids)}
    for i in triggered:  # a larger share moves no trigger
        assert torch.equal(everywhere[places[dataset.ids[i]]].image, dataset[i].image)


def test_the_seed_decides() -> None:
    noise = {"type": "NaturalNoise", "n": 12, "size": 32}
    first, again, other = made(noise), made(noise), made(noise, seed=1)
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert all(torch.equal(first[i].input, again[i].input) for i in range(12))
    moved = [not torch.equal(first[i].input, other[i].input) for i in range(12) if i % 5 != 4]
    assert np.mean(moved) > 0.8
    assert made(noise, patch=7).fingerprint() != first.fingerprint()


def test_the_spectrum_of_natural_noise_falls_with_frequency() -> None:
    images = torch.stack([NaturalNoise(n=40, size=32)[i].input[0] for i in range(40)])
    power = torch.fft.rfft2(images - images.mean((1, 2), keepdim=True)).abs().square().mean(0)[0]
    slope = np.polyfit(np.log(np.arange(1, 16)), np.log(power[1:16].numpy()), 1)[0]
    assert -2.3 < slope < -1.5  # 1/f² but for what is cut at black and white
    assert 0.4 < images.mean() < 0.6


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"share": 0}, r"share in \(0, 1\]"),
        ({"patch": 0}, "patch ≥ 1"),
        ({"colours": ["red"]}, "two different names"),
        ({"colours": ["red", "blu"]}, "no colour 'blu'. Closest: 'blue'"),
        ({"trigger": "cat"}, "has no class 'cat'"),
        ({"dataset": {"type": "PlantedWords"}}, "needs images; PlantedWords has none"),
        ({"dataset": {"type": "NaturalNoise", "size": 1}}, "at least 2 pixels"),
    ],
)
def test_what_cannot_be_planted(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(**{"dataset": {"type": "NaturalNoise", "n": 3}, **keys})


def test_what_the_images_do_not_allow(root: Path) -> None:
    with pytest.raises(ConfigError, match=r"no class 'dg'\. Closest: 'dog'"):
        made(folder(root), trigger="dg")
    with pytest.raises(DataError, match=r"16×12 pixels, the patch 13×13"):
        made(folder(root), trigger="dog", patch=13)[0]
    only = root.parent / "only"
    write(only / "dog/1.png")
    with pytest.raises(DataError, match="No image gets the trigger"):
        made(folder(only), trigger="dog", clean=False)
