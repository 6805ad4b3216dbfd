"""The parts of training: crops and flips, splits, learning rates."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from input_iba.errors import ConfigError
from input_iba.models import CifarResNet, SmallVGG
from input_iba.training.classifier import Labelled, split
from input_iba.training.images import ImageTrainer, augment
from input_iba.training.settings import ImageTraining


def test_augmented_pictures_are_shifted_and_flipped_originals() -> None:
    pixels = torch.arange(3 * 6 * 6).view(1, 3, 6, 6).expand(40, -1, -1, -1).to(torch.uint8)
    found = augment(pixels, 2, torch.Generator().manual_seed(0))
    padded = nn.functional.pad(pixels[:1].float(), [2] * 4, mode="reflect")
    windows = [padded[0, :, y : y + 6, x : x + 6] for y in range(5) for x in range(5)]
    possible = {
        tuple(crop.flatten().tolist()) for window in windows for crop in (window, window.flip(2))
    }
    drawn = {tuple(picture.flatten().tolist()) for picture in found}
    assert drawn <= possible
    assert len(drawn) > 15


def test_images_that_may_not_be_moved_stay_as_they_are() -> None:
    images = torch.arange(2 * 3 * 64).view(2, 3, 8, 8).to(torch.uint8)
    labelled = Labelled(images, torch.tensor([0, 1]))
    how = (CifarResNet(8, num_classes=2), labelled, lambda x: x, ImageTraining())
    moved, kept = (
        ImageTrainer(*how, torch.device("cpu"), movable=movable) for movable in (True, False)
    )
    [batch] = kept.batches(torch.Generator().manual_seed(0))
    assert torch.equal(batch.inputs, images[batch.targets])
    [batch] = moved.batches(torch.Generator().manual_seed(0))
    assert not torch.equal(batch.inputs, images[batch.targets].float())


def test_pictures_smaller_than_the_padding() -> None:
    assert augment(torch.zeros(2, 1, 2, 3), 4, torch.Generator()).shape == (2, 1, 2, 3)


def data(count: int = 40, classes: int = 2) -> Labelled:
    targets = torch.arange(count) % classes
    return Labelled(torch.zeros(count, 3, 8, 8, dtype=torch.uint8), targets)


def test_a_split_loses_nothing() -> None:
    pictures = Labelled(torch.arange(20).view(20, 1, 1, 1), torch.arange(20))
    rest, share = split(pictures, 0.25, seed=1)
    assert (len(rest.targets), len(share.targets)) == (15, 5)
    assert sorted([*rest.targets.tolist(), *share.targets.tolist()]) == list(range(20))
    assert torch.equal(rest.inputs.flatten(), rest.targets)
    assert not torch.equal(split(pictures, 0.25, seed=2)[1].targets, share.targets)


@pytest.mark.parametrize(("model", "peak"), [(CifarResNet(8), 0.1), (SmallVGG(), 0.02)])
def test_default_learning_rate(model: nn.Module, peak: float) -> None:
    trainer = ImageTrainer(model, data(), lambda x: x, ImageTraining(), torch.device("cpu"))
    assert trainer.schedule.state_dict()["_schedule_phases"][0]["end_lr"] == "max_lr"
    assert trainer.optimizer.param_groups[0]["max_lr"] == peak


def test_transformers_are_trained_with_adamw() -> None:
    net = nn.Sequential(nn.Flatten(), nn.LayerNorm(192), nn.Linear(192, 2))
    trainer = ImageTrainer(net, data(), lambda x: x, ImageTraining(), torch.device("cpu"))
    assert isinstance(trainer.optimizer, torch.optim.AdamW)
    assert trainer.optimizer.param_groups[0]["max_lr"] == 0.001
    given = ImageTraining(lr=0.3)
    other = ImageTrainer(net, data(), lambda x: x, given, torch.device("cpu"))
    assert other.optimizer.param_groups[0]["max_lr"] == 0.3


def test_more_classes_than_outputs() -> None:
    with pytest.raises(ConfigError, match="num_classes=11"):
        ImageTrainer(
            CifarResNet(8), data(40, 11), lambda x: x, ImageTraining(), torch.device("cpu")
        )
