"""The trainer of explainers: what an epoch sees, and that the classifier stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from input_iba.attribution.amortised import divergence
from input_iba.errors import ConfigError
from input_iba.modality import TextModality, VisionModality
from input_iba.training.explainer import ExplainerTrainer, untrained
from input_iba.training.explainer_settings import ExplainerTraining, Objective
from input_iba.training.lessons import Lessons
from tests.attribution.nets import estimated, small_net
from tests.attribution.text_nets import PAD, sentences
from tests.conftest import Unchanged

SETTINGS = ExplainerTraining(epochs=20, batch_size=5, lr=1e-2, crop=1.0, flip=False)


def marked(count: int, *size: int) -> tuple[Tensor, Tensor]:
    """Return images that are dark but for one bright cell of 4 pixels a side, and maps of it."""
    images, maps = torch.zeros(count, 2, *size), torch.zeros(count, *size)
    for i in range(count):
        cell = tuple(slice(4 * (i % (n // 4)), 4 * (i % (n // 4)) + 4) for n in size)
        maps[i][cell] = 1
    images[:] = maps[:, None]
    return images, maps


@pytest.mark.parametrize("size", [(32,), (32, 24), (16, 12, 8)], ids=["1", "2", "3"])
def test_images_and_maps_are_moved_alike(size: tuple[int, ...]) -> None:
    images, maps = marked(6, *size)
    generator = torch.Generator().manual_seed(3)
    mirrored = 0
    for _ in range(8):
        views, found = VisionModality().moved(images, maps, 0.5, True, generator)
        assert (views.shape, found.shape) == (images.shape, maps.shape)
        torch.testing.assert_close(views[:, 0], found, rtol=1e-4, atol=1e-5)
        mirrored += int((views[0] != views.flip(-1)[0]).any())
    assert mirrored
    kept = VisionModality().moved(images, maps, 1.0, False, generator)
    assert torch.equal(kept[0], images)
    assert torch.equal(kept[1], maps)


def test_smaller_maps_are_moved_with_their_images() -> None:
    images, maps = marked(6, 32, 32)
    small = torch.nn.functional.avg_pool2d(maps[:, None], 4)[:, 0]
    generator = torch.Generator().manual_seed(1)
    views, found = VisionModality().moved(images, small, 0.5, True, generator)
    large = torch.nn.functional.avg_pool2d(views[:, :1], 4)[:, 0]
    seen = found.flatten(1).amax(1) > 0.5  # those whose cell was not cut off
    assert seen.any()
    alike = torch.cosine_similarity(found.flatten(1), large.flatten(1))
    assert (alike[seen] > 0.8).all()


def test_about_half_are_mirrored() -> None:
    images = torch.arange(8.0).expand(400, 1, 8, 8)
    views, _ = VisionModality().moved(
        images, images[:, 0], 1.0, True, torch.Generator().manual_seed(0)
    )
    assert 140 < int((views[:, 0, 0, 0] == 7).sum()) < 260


def test_texts_stay_as_they_are() -> None:
    ids = sentences(4)
    found = TextModality(pad=PAD).moved(ids, ids.float(), 0.5, True, torch.Generator())
    assert found[0] is ids


@contextmanager
def trainer(
    settings: ExplainerTraining = SETTINGS,
    objective: Objective = Objective(),  # noqa: B008
) -> Iterator[ExplainerTrainer]:
    """Yield a trainer that is to learn where images of a `small_net` are brightest."""
    teacher = estimated(small_net())
    images = torch.rand(30, 2, 8, 8, generator=torch.Generator().manual_seed(2)).double()
    rows = torch.arange(30)
    lessons = Lessons(images, rows % 3, images.mean(1).float() ** 8, rows)
    explainer, watched = untrained(teacher, images)
    taught, held_out = lessons.take(rows[:25]), lessons.take(rows[25:])
    how = (settings, objective, torch.device("cpu"))
    made = ExplainerTrainer(explainer, watched, teacher.modality, taught, held_out, *how)
    with watched.prepared(images[:1]):
        yield made


def test_an_epoch_sees_every_lesson_once() -> None:
    with trainer() as made:
        batches = list(made.batches(torch.Generator().manual_seed(0)))
        assert [made.size(batch) for batch in batches] == [5] * 5
        seen = torch.cat([batch.inputs for batch in batches]).flatten(1).sum(1).sort().values
        torch.testing.assert_close(seen, made.lessons.inputs.flatten(1).sum(1).sort().values)


def test_the_loss_is_the_divergence_and_validation_that_of_what_is_held_out() -> None:
    with trainer() as made:
        held = made.held_out
        with torch.no_grad():
            parts = made.loss(held)
            _, features = made.classifier.look(held.inputs)
            logits = made.explainer(held.inputs, features, held.labels)[:, 0]
        expected = divergence(logits, held.maps).mean()
        torch.testing.assert_close(parts["loss"], expected)
        found = made.validate()
        assert found.metrics["divergence"] == pytest.approx(float(expected), rel=1e-5)
        assert found.score == -found.metrics["divergence"]


def test_it_learns() -> None:
    with trainer() as made:
        before = made.validate().metrics["divergence"]
        for epoch in range(SETTINGS.epochs):
            made.train_epoch(epoch)
        assert made.validate().metrics["divergence"] < 0.7 * before


def test_parts_are_weighted() -> None:
    with trainer(objective=Objective(maps=2.0, behind=0.5)) as made, torch.no_grad():
        parts = made.loss(made.held_out)
        expected = 2 * parts["divergence"] + 0.5 * parts["objective"]
        torch.testing.assert_close(parts["loss"], expected)


def test_the_classifier_stays_as_it_is_after_an_exception(unchanged: Unchanged) -> None:
    with trainer() as made:
        pass
    net = made.classifier.model
    with unchanged(net):
        example = made.lessons.inputs[:1]
        with pytest.raises(ZeroDivisionError), made.classifier.prepared(example):
            made.train_epoch(0)
            raise ZeroDivisionError


@pytest.mark.parametrize(
    ("key", "value"), [("epochs", 0), ("lr", 0.0), ("crop", 0.0), ("others", 1.5), ("clip", 0.0)]
)
def test_settings_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"--{key}"):
        ExplainerTraining(**{key: value})  # type: ignore[arg-type]
