"""The checks of a map: what they compute, that they change nothing, and what they tell apart."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

import input_iba
from input_iba.attribution import InputBottleneck, attributor
from input_iba.attribution.believe import hidden
from input_iba.core.targets import ContrastTarget
from input_iba.records import Attribution, Checks, Failure
from tests.attribution.nets import IDS, PatchClassifier, estimated, inputs, pictures, small_net
from tests.attribution.test_several import pairs, trained
from tests.attribution.text_nets import PAD, TinyLSTM, sentences, text_attributor


def checks_of(record: Attribution | Failure) -> Checks:
    assert isinstance(record, Attribution)
    assert record.checks is not None
    return record.checks


def assert_same(one: Attribution | Failure, other: Attribution | Failure) -> None:
    first, second = (vars(checks_of(record)) for record in (one, other))
    assert first == pytest.approx(second, abs=1e-9, nan_ok=True)


def hottest(heat: Tensor, share: float = 0.1) -> Tensor:
    """Return which pixels of one map (H, W) are the hottest, one after the other."""
    found = torch.zeros(heat.numel(), dtype=torch.bool)
    values = heat.flatten().tolist()
    order = sorted(range(len(values)), key=lambda i: -values[i])
    for i in order[: max(round(share * len(values)), 1)]:
        found[i] = True
    return found.view(heat.shape)


def test_the_hottest_tenth_is_hidden_and_then_the_coldest() -> None:
    net = small_net().eval()
    records = estimated(net).attribute(inputs(), ids=IDS)
    for x, record in zip(inputs(), records, strict=True):
        found = checks_of(record)
        assert isinstance(record, Attribution)
        for value, heat in ((found.hidden, record.map), (found.spared, -record.map)):
            with torch.no_grad():
                chances = net(x.where(~hottest(heat), 0)[None]).softmax(1)
            assert value == pytest.approx(chances[0, record.target].item(), abs=1e-6)


@pytest.mark.parametrize("rows", [None, 1, 3])
def test_images_together_are_checked_as_each_alone(rows: int | None) -> None:
    found = estimated(small_net(), internal_batch_size=rows)
    together = found.attribute(inputs(), [0, 1, 2, 0], ids=IDS)
    for i, name in enumerate(IDS):
        [alone] = found.attribute(inputs()[i : i + 1], [[0, 1, 2, 0][i]], ids=[name])
        assert_same(together[i], alone)


def test_texts_together_are_checked_as_each_alone_and_padding_is_not_hidden() -> None:
    net = TinyLSTM().double().eval()
    made = text_attributor(net)
    made.estimate([sentences(20, seed=3)])
    ids = sentences(4, seed=1)
    together = made.attribute(ids, [0, 1, 1, 0], ids=IDS)
    for i, name in enumerate(IDS):
        own = ids[i : i + 1, : int((ids[i] != PAD).sum())]
        [alone] = made.attribute(own, [[0, 1, 1, 0][i]], ids=[name])
        assert_same(together[i], alone)
        task = made.task(own, [[0, 1, 1, 0][i]])
        assert isinstance(alone, Attribution)
        assert math.isnan(checks_of(alone).agreement)
        [[hot, _]] = hidden(task, alone.map[None]).tolist()
        assert hot == pytest.approx(checks_of(alone).hidden)
        first = int(alone.map.argmax())  # of fewer than fifteen words one is a tenth
        with torch.no_grad():
            values = task.inputs.clone()
            values[0, first] = 0
            logit = task.classifier.logits(values, task.tokens)
        sign = 1 if [0, 1, 1, 0][i] else -1
        assert hot == pytest.approx((sign * logit).sigmoid().item())


def test_checking_changes_no_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    with_checks = estimated(small_net()).attribute(inputs(), ids=IDS)
    monkeypatch.setattr(attributor, "check", lambda task, *_: [None] * len(task.ids))
    without = estimated(small_net()).attribute(inputs(), ids=IDS)
    for one, other in zip(with_checks, without, strict=True):
        assert isinstance(one, Attribution)
        assert isinstance(other, Attribution)
        assert other.belief.verdict == "not checked"
        for name in ("map", "input_mask", "feature_mask", "prior_mask", "feature_capacity"):
            assert torch.equal(getattr(one, name), getattr(other, name))


def test_where_all_noise_is_the_same_there_are_no_halves() -> None:
    settings: dict[str, Any] = {"batch_size": 2, "opt_steps": 3}
    for noise, steps, known in (("fixed", 3, False), ("fresh", 1, False), ("fresh", 2, True)):
        own = InputBottleneck(noise=noise, **settings | {"opt_steps": steps})
        [record] = estimated(small_net(), input_iba=own).attribute(inputs(1))
        assert math.isnan(checks_of(record).halves) != known


def test_a_patch_is_believed_and_what_is_not_there_is_not() -> None:
    net = PatchClassifier((12, 24), residual=False).calibrate(pictures(8))
    iba = input_iba.InputIBA(net, "block").fit(
        torch.cat([pictures(20, 1), torch.randn(20, 3, 48, 48)])
    )
    found = iba.attribute(pictures(1, 5).expand(2, -1, -1, -1), [1, 0])
    there, absent = found[0], found[1]
    assert there.belief.verdict == "green", there.belief
    assert checks_of(there).hidden < 0.5 * there.target_probability
    assert checks_of(there).spared == pytest.approx(there.target_probability, abs=0.05)
    assert absent.belief.verdict == "red", absent.belief


def test_other_questions_and_inputs_are_checked_or_say_why_not() -> None:
    iba = input_iba.InputIBA(small_net(), "4", preset="instant").fit(inputs(20))
    contrast = iba.attribute(inputs(1), ContrastTarget(0, 1))[0]
    assert 0 <= checks_of(contrast).hidden <= 1
    assert contrast.belief.verdict != "not checked"
    own = iba.attribute(inputs(1), lambda logits: logits[:, 0].square())[0]
    assert own.belief.verdict == "not checked"
    assert "caller's own" in own.belief.reason
    signals, images, *_ = pairs(20, seed=0)
    several = input_iba.InputIBA(trained(), preset="instant").fit((signals, images))
    found = several.attribute((signals[:1], images[:1]))[0]
    assert found.belief.verdict in ("green", "amber", "red")
    assert set(found.belief.marks) == {"met", "held", "halves", "drop"}
    assert len(found.inputs) == 2
