"""What an explainer learns from: failures left out, kept on disk, inputs kept together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from input_iba.attribution import Attributor
from input_iba.errors import DataError
from input_iba.records import Attribution, Failure
from input_iba.training.lessons import AT_ONCE, Lessons, teach
from tests.attribution.nets import estimated, inputs, small_net
from tests.attribution.text_nets import PAD, TinyLSTM, sentences, text_attributor


def halved(maps: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(maps[:, None], 2)[:, 0]


def images(count: int) -> Tensor:
    return inputs(count) + 0.1


def assert_equal(one: Lessons, other: Lessons) -> None:
    for key in ("inputs", "labels", "maps"):
        assert torch.equal(getattr(one, key), getattr(other, key)), key


class Counting:
    """Explains by an attributor, and counts what it is asked; stops after some calls."""

    def __init__(self, attributor: Attributor, calls: float = float("inf")) -> None:
        self.attributor, self.left, self.asked = attributor, calls, 0

    def attribute(self, batch: Tensor, *args: Any, **how: Any) -> Any:
        if self.left <= 0:
            raise KeyboardInterrupt
        self.left -= 1
        self.asked += len(batch)
        return self.attributor.attribute(batch, *args, **how)


def test_maps_are_those_of_the_method_at_the_resolution_of_the_explainer() -> None:
    attributor, x = estimated(small_net()), images(3)
    found = teach(attributor, x, halved)
    records = attributor.attribute(x)
    assert torch.equal(found.inputs, x)
    assert found.maps.shape == (3, 4, 4)
    for label, heat, record in zip(found.labels.tolist(), found.maps, records, strict=True):
        assert isinstance(record, Attribution)
        assert label == record.prediction
        expected = halved((record.map / record.map.max())[None])[0]
        torch.testing.assert_close(heat, expected.float(), rtol=2e-3, atol=2e-4)  # kept in halves


def test_what_cannot_be_explained_is_left_out() -> None:
    x = images(5)
    x[[1, 3]] = torch.nan
    attributor = estimated(small_net())
    assert isinstance(attributor.attribute(x)[1], Failure)
    found = teach(attributor, x, halved)
    assert torch.equal(found.inputs, x[[0, 2, 4]])
    assert len(found.labels) == len(found.maps) == 3


def test_a_whole_batch_that_cannot_be_explained_leaves_the_others() -> None:
    x = images(AT_ONCE + 3)
    x[:AT_ONCE] = torch.nan
    found = teach(estimated(small_net()), x, halved, others=1.0)
    assert {tuple(one.flatten().tolist()) for one in found.inputs} == {
        tuple(one.flatten().tolist()) for one in x[AT_ONCE:]
    }
    with pytest.raises(DataError, match=r"Of 16 inputs 0 could be explained.*Give more inputs"):
        teach(estimated(small_net()), x[:AT_ONCE], halved)


def test_other_classes_are_the_second_or_third_likeliest() -> None:
    x = images(12)
    attributor = estimated(small_net())
    found = teach(attributor, x, halved, others=1.0)
    assert len(found.labels) == 24
    order = small_net().eval()(x).argsort(1, descending=True)
    assert torch.equal(found.labels[:12], order[:, 0])
    assert torch.equal(found.inputs[12:], x)
    others = found.labels[12:]
    assert ((others[:, None] == order[:, 1:3]).sum(1) == 1).all()
    assert (others == order[:, 1]).any()
    assert (others == order[:, 2]).any()
    some = teach(attributor, images(40), halved, others=0.25)
    assert 40 + 2 <= len(some.labels) <= 40 + 20


def test_a_seed_decides_everything() -> None:
    first, again, other = (
        teach(estimated(small_net()), images(6), halved, others=0.5, seed=seed)
        for seed in (1, 1, 2)
    )
    assert_equal(first, again)
    assert first.maps.shape != other.maps.shape or not torch.equal(first.maps, other.maps)


def test_what_is_done_is_read_again_bit_for_bit(tmp_path: Path) -> None:
    x = images(2 * AT_ONCE + 4)
    how: dict[str, Any] = {"others": 0.5, "seed": 3}
    whole = teach(estimated(small_net()), x, halved, **how)
    broken = Counting(estimated(small_net()), calls=3)  # a batch has two: others come after
    with pytest.raises(KeyboardInterrupt):
        teach(broken, x, halved, folder=tmp_path, **how)  # type: ignore[arg-type]
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["0000000.pth"]
    resumed = Counting(estimated(small_net()))
    done: list[int] = []
    again = teach(
        resumed,  # type: ignore[arg-type]
        x,
        halved,
        folder=tmp_path,
        on_batch=done.append,
        **how,
    )
    assert_equal(again, whole)
    assert done == [AT_ONCE, AT_ONCE, 4]
    assert AT_ONCE + 4 <= resumed.asked < 2 * len(x)
    read = Counting(estimated(small_net()), calls=0)
    assert_equal(teach(read, x, halved, folder=tmp_path, **how), whole)  # type: ignore[arg-type]


def test_of_texts_maps_are_zero_at_padding() -> None:
    attributor = text_attributor(TinyLSTM(2))
    attributor.estimate([sentences(20, seed=3)])
    ids = sentences(6, seed=1)
    found = teach(attributor, ids, lambda maps: maps)
    assert found.maps.shape == ids.shape
    assert (found.maps[ids == PAD] == 0).all()
    assert torch.equal(found.maps.amax(1), torch.ones(6))


def lessons(owners: list[int]) -> Lessons:
    pictures = torch.randn(max(owners) + 1, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    return Lessons(pictures[owners], torch.arange(len(owners)), torch.zeros(len(owners), 2, 2))


def test_a_split_keeps_the_lessons_of_an_input_together() -> None:
    owners = [*range(20), *range(0, 20, 2)]
    rest, held = lessons(owners).split(0.25, seed=1)

    def of(part: Lessons) -> set[int]:
        return {owners[i] for i in part.labels.tolist()}

    assert len(of(held)) == 5
    assert of(rest).isdisjoint(of(held))
    assert of(rest) | of(held) == set(range(20))
    assert len(rest.labels) + len(held.labels) == len(owners)
    other = lessons(owners).split(0.25, seed=2)[1]
    assert of(other) != of(held)
    assert torch.equal(lessons(owners).split(0.25, seed=1)[1].labels, held.labels)


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_of_two_inputs_one_is_held_out(share: float) -> None:
    rest, held = lessons([0, 1, 0]).split(share, seed=0)
    assert {len(rest.labels), len(held.labels)} == {1, 2}


def test_one_input_alone_cannot_be_split() -> None:
    with pytest.raises(DataError, match="the same one"):
        lessons([0, 0, 0]).split(0.05, seed=0)
