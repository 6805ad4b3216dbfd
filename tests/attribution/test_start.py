"""A start: where the input mask begins if something predicts it, and how far it goes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

import input_iba
from input_iba.attribution import FAST, AttributionTask, Attributor, InputBottleneck
from input_iba.attribution.start import Start
from input_iba.errors import ConfigError
from input_iba.records import Attribution, Failure
from tests.attribution.nets import IDS, assert_same, estimated, inputs, small_net
from tests.attribution.text_nets import TinyLSTM, sentences, text_attributor

STILL = 1e-9
"""A learning rate at which the mask stays where it started."""


@dataclass
class Given:
    """Predicts the masks that it was given, by the samples' ids."""

    alphas: dict[str, Tensor]
    asked: int = 0

    def start(self, task: AttributionTask) -> Tensor:
        self.asked += 1
        return torch.stack([self.alphas[id_] for id_ in task.ids])


def drawn(*shape: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {id_: torch.randn(*shape, generator=generator, dtype=torch.float64) for id_ in IDS}


def started(start: Start | None, **settings: float) -> Attributor:
    bottleneck = InputBottleneck(batch_size=3, opt_steps=4, **settings)  # type: ignore[arg-type]
    return estimated(small_net(), start=start, input_iba=bottleneck)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_mask_begins_where_the_start_says(channels: int) -> None:
    alphas = drawn(channels, 8, 8)
    found = started(Given(alphas), warm_steps=1, warm_lr=STILL).attribute(inputs(), ids=IDS)
    for record in found:
        assert isinstance(record, Attribution)
        expected = alphas[record.id].sigmoid().mean(0)
        torch.testing.assert_close(record.input_mask, expected, rtol=0, atol=1e-6)


def test_a_tiny_step_from_the_solution_of_fast_stays_there() -> None:
    attributor = estimated(small_net(), prior=FAST.prior, input_iba=FAST.input_iba)
    task = attributor.task(inputs(), ids=IDS)
    assert attributor.statistics is not None
    prior = attributor.prior.fit(task, attributor.feature_iba.fit(task, attributor.statistics))
    solved = FAST.input_iba.fit(task, prior.lambda_)
    warm = replace(FAST.input_iba, warm_steps=1, warm_lr=1e-4)
    again = warm.fit(task, prior.lambda_, solved.alpha)
    assert (again.alpha - solved.alpha).abs().max() <= 1.01e-4
    assert not torch.equal(again.alpha, solved.alpha)


def test_from_a_start_the_mask_takes_warm_steps_and_without_one_the_usual() -> None:
    start = Given(drawn(2, 8, 8))
    for given, steps in ((start, 3), (None, 4)):
        [record, *_] = started(given, warm_steps=3).attribute(inputs(), ids=IDS)
        assert isinstance(record, Attribution)
        assert len(record.losses["input_iba/target"]) == steps
    assert start.asked == 1


def test_a_start_of_many_is_that_of_each_alone_in_any_order() -> None:
    attributor = started(Given(drawn(1, 8, 8)))
    x = inputs()
    together = attributor.attribute(x, [0, 1, 2, 0], ids=IDS)
    turned = attributor.attribute(x.flip(0), [0, 2, 1, 0], ids=IDS[::-1])
    for i, sample_id in enumerate(IDS):
        [alone] = attributor.attribute(x[i : i + 1], [[0, 1, 2, 0][i]], ids=[sample_id])
        assert_same(together[i], alone)
        assert_same(turned[3 - i], alone)


def test_a_start_for_words() -> None:
    ids = sentences(2, seed=1)
    alphas = {
        id_: torch.linspace(-2, 2, ids.shape[1], dtype=torch.float64)[:, None] for id_ in "ab"
    }
    bottleneck = InputBottleneck(batch_size=2, warm_steps=1, warm_lr=STILL)
    attributor = text_attributor(TinyLSTM().double(), start=Given(alphas), input_iba=bottleneck)
    attributor.estimate([sentences(20, seed=3)])
    for record in attributor.attribute(ids, [0, 1], ids=["a", "b"]):
        assert isinstance(record, Attribution)
        expected = alphas["a"][: len(record.input_mask), 0].sigmoid()
        torch.testing.assert_close(record.input_mask, expected, rtol=0, atol=1e-6)


def test_a_start_of_another_shape_is_refused() -> None:
    said = r"Given.start\(\) returned the shape \(4, 3, 8, 8\) .*\(4, 2, 8, 8\).*\(4, 1, 8, 8\)"
    with pytest.raises(ConfigError, match=said):
        started(Given(drawn(3, 8, 8))).attribute(inputs(), ids=IDS)


def test_a_start_that_is_not_finite_fails_for_its_own_sample_alone() -> None:
    alphas = drawn(2, 8, 8)
    expected = started(Given(alphas)).attribute(inputs(), ids=IDS)
    broken = started(Given({**alphas, "b": torch.full((2, 8, 8), torch.nan).double()}))
    found = broken.attribute(inputs(), ids=IDS)
    assert isinstance(found[1], Failure)
    assert "start() returned NaN" in found[1].reason
    for i in (0, 2, 3):
        assert_same(found[i], expected[i])


def test_the_front_door_takes_a_start() -> None:
    x = inputs(2)
    start = Given({str(i): torch.full((1, 8, 8), 3.0).double() for i in range(2)})
    iba = input_iba.InputIBA(small_net(), "4", preset="instant", start=start).fit(inputs(20) + 0.1)
    assert len(iba.attribute(x)[0].losses["input_iba/target"]) == FAST.input_iba.warm_steps
    assert start.asked == 1
