"""The pipeline: batch invariance, the model's return, the forms of input, and its records."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from input_iba.attribution import ConstantPrior, FeatureIBA, WGANPrior
from input_iba.records import Attribution, Targets
from tests.attribution.nets import (
    IDS,
    assert_same,
    estimated,
    inputs,
    maps,
    small_attributor,
    small_net,
)
from tests.conftest import Unchanged


@pytest.mark.parametrize("real", ["capacity", "bottleneck"])
def test_many_at_once_are_as_each_alone_in_any_order(real: str) -> None:
    prior = WGANPrior(epochs=3, dataset_size=9, batch_size=4, sub_dataset_size=3, real=real)
    attributor = estimated(small_net(), prior=prior)
    x = inputs()
    together = attributor.attribute(x, [0, 1, 2, 0], ids=IDS)
    turned = attributor.attribute(x.flip(0), [0, 2, 1, 0], ids=IDS[::-1])
    for i, sample_id in enumerate(IDS):
        [alone] = attributor.attribute(x[i : i + 1], [[0, 1, 2, 0][i]], ids=[sample_id])
        assert_same(together[i], alone)
        assert_same(turned[3 - i], alone)


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
def test_the_internal_batch_size_changes_no_mask(rows: int) -> None:
    expected = estimated(small_net()).attribute(inputs(), ids=IDS)
    bounded = estimated(small_net(), internal_batch_size=rows).attribute(inputs(), ids=IDS)
    for ours, theirs in zip(bounded, expected, strict=True):
        assert_same(ours, theirs)


def test_a_bound_of_one_call_counts_for_that_call() -> None:
    net = small_net()
    attributor = estimated(net, prior=ConstantPrior(), internal_batch_size=12)
    rows: list[int] = []
    with net.register_forward_pre_hook(lambda _, args: rows.append(len(args[0]))):
        expected = attributor.attribute(inputs(), ids=IDS)
        assert max(rows) == 12
        rows.clear()
        bounded = attributor.attribute(inputs(), ids=IDS, internal_batch_size=6)
        assert max(rows) == 6
    for ours, theirs in zip(bounded, expected, strict=True):
        assert_same(ours, theirs)


def test_the_internal_batch_size_bounds_what_the_classifier_sees() -> None:
    net, seen = small_net(), []
    net[0].register_forward_pre_hook(lambda _module, args: seen.append(len(args[0])))
    attributor = small_attributor(net, internal_batch_size=5)
    attributor.estimate([inputs(5), inputs(5)])
    attributor.attribute(inputs(3))
    assert max(seen) == 5


def test_seed_and_id_decide_the_masks() -> None:
    attributor = estimated(small_net())
    x = inputs(1)
    first, again, other_seed, other_id = (
        attributor.attribute(x, ids=[sample_id], seed=seed)[0]
        for sample_id, seed in [("a", 0), ("a", 0), ("a", 1), ("b", 0)]
    )
    assert torch.equal(maps(first)[0], maps(again)[0])
    assert not torch.allclose(maps(first)[0], maps(other_seed)[0])
    assert not torch.allclose(maps(first)[0], maps(other_id)[0])


class FaultError(Exception):
    """An exception in the middle."""


@pytest.mark.parametrize("fault_at", [None, "FeatureIBA", "WGAN", "InputIBA"])
def test_the_model_comes_back_as_it_was(fault_at: str | None, unchanged: Unchanged) -> None:
    net = small_net()
    net.train()
    net[1].eval()
    net[8].bias.requires_grad_(False)
    weight = net.get_parameter("0.weight")
    weight.grad = torch.ones_like(weight)

    def fail(stage: str, _step: int, _steps: int, _losses: Mapping[str, float]) -> None:
        if stage == fault_at:
            raise FaultError

    with unchanged(net):
        attributor = estimated(net)
        with nullcontext() if fault_at is None else pytest.raises(FaultError):
            attributor.attribute(inputs(2), progress=fail)


def test_the_callers_inputs_are_left_alone() -> None:
    net = nn.Sequential(nn.ReLU(inplace=True), *small_net())
    attributor = estimated(net, "1")
    x = inputs(2)
    kept = x.clone()
    attributor.attribute(x)
    assert torch.equal(x, kept)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(4, 4), (9, 14)], ids=str)
def test_channels_and_sizes(channels: int, size: tuple[int, int]) -> None:
    net = small_net(channels)  # size 4 x 4 makes feature maps of 2 x 2
    attributor = small_attributor(net)
    attributor.estimate([inputs(8, channels, size)])
    [found] = attributor.attribute(inputs(1, channels, size))
    assert isinstance(found, Attribution)
    assert [tuple(m.shape) for m in maps(found)] == [size] * 4 + [(size[0] // 2, size[1] // 2)]
    assert all(torch.isfinite(m).all() for m in maps(found))
    assert 0 <= found.input_mask.min() <= found.input_mask.max() <= 1
    assert found.feature_mask.min() >= 0


@pytest.mark.parametrize("side", ["output", "input"])
def test_the_bottleneck_may_sit_on_either_side(side: str) -> None:
    settings = FeatureIBA(batch_size=3, opt_steps=4, input_or_output=side)
    net = small_net()
    found = estimated(net, "4", feature_iba=settings).attribute(inputs(1))[0]
    same = "3" if side == "input" else "4"  # what goes into layer 4 comes out of layer 3
    assert_same(found, estimated(net, same).attribute(inputs(1))[0])


TARGETS: list[Targets | None] = [
    None,
    [2, 1],
    torch.tensor([2, 1]),
    torch.tensor([[1, 0, 1], [0, 0, 1]]),
    lambda logits: logits[:, 0] - logits[:, 1],
    [lambda logits: -logits[:, 0], lambda logits: -logits[:, 2]],
]


@pytest.mark.parametrize("targets", TARGETS, ids=["predicted", "list", "index", "multi", "f", "fs"])
def test_targets(targets: Targets | None) -> None:
    attributor = estimated(small_net())
    x = inputs(2)
    with torch.no_grad():
        chances = small_net().eval()(x).softmax(1)
    for i, record in enumerate(attributor.attribute(x, targets)):
        assert isinstance(record, Attribution)
        assert record.prediction == chances[i].argmax()
        if targets is None:
            assert record.target == record.prediction
        elif targets is TARGETS[1] or targets is TARGETS[2]:
            assert record.target == [2, 1][i]
        else:
            assert record.target is None
            assert math.isnan(record.target_probability) == (targets is not TARGETS[3])
        if record.target is not None:
            assert record.target_probability == pytest.approx(chances[i, record.target].item())


def test_reversed_and_combined_masks() -> None:
    """The reversed mask drowns the target; both terms together are both losses."""
    results = {}
    for name, options in {
        "plain": {},
        "reversed": {"reverse_lambda": True},
        "combined": {"combine_loss": True},
        "relu": {"relu": True},
    }.items():
        settings = FeatureIBA(batch_size=3, opt_steps=6, beta=0.01, **options)  # type: ignore[arg-type]
        [record] = estimated(small_net(), feature_iba=settings).attribute(inputs(1), [1])
        assert isinstance(record, Attribution)
        results[name] = record.losses["feature_iba/target"]
    assert (results["reversed"] < 0).all()  # minus a cross-entropy
    assert len({tuple(loss.tolist()) for loss in results.values()}) == 4


def test_progress_and_records_tell_of_every_step() -> None:
    seen: dict[str, list[tuple[int, int]]] = {}

    def note(stage: str, step: int, steps: int, losses: Mapping[str, float]) -> None:
        seen.setdefault(stage, []).append((step, steps))
        assert all(isinstance(value, float) for value in losses.values())

    attributor = estimated(small_net(), internal_batch_size=4)  # priors one after the other
    [record, _] = attributor.attribute(inputs(2), progress=note, seed=5)
    assert isinstance(record, Attribution)
    for stage, steps in {"FeatureIBA": 4, "WGAN": 8, "InputIBA": 4}.items():
        assert seen[stage] == [(step + 1, steps) for step in range(steps)]
    assert {name: len(loss) for name, loss in record.losses.items()} == {
        "feature_iba/target": 4,
        "feature_iba/information": 4,
        "prior/critic": 4,
        "prior/generator": 2,
        "input_iba/target": 4,
        "input_iba/information": 4,
    }
    assert record.seed == 5
    assert set(record.seconds) == {"feature_iba", "prior", "input_iba", "checks"}
    assert all(value > 0 for value in record.seconds.values())


def test_estimation_stops_at_the_number_asked_for() -> None:
    attributor = small_attributor(small_net())
    found = attributor.estimate((inputs(7) for _ in range(100)), n_samples=10)
    assert found.count == 10


def test_the_stages_one_by_one_are_the_pipeline_and_leave_the_model_alone(
    unchanged: Unchanged,
) -> None:
    net = small_net()
    attributor = estimated(net)
    [expected] = attributor.attribute(inputs(1), [1], ids=["a"], seed=3)
    net.train()
    assert attributor.statistics is not None
    with unchanged(net):
        task = attributor.task(inputs(1), [1], ids=["a"], seed=3)
        feature = attributor.feature_iba.fit(task, attributor.statistics)
        prior = attributor.prior.fit(task, feature)
        fitted = attributor.input_iba.fit(task, prior.lambda_)
    found = [
        attributor.reading.read(task, feature, fitted),
        *(fitted.alpha.sigmoid().mean(1), feature.saliency, prior.lambda_.mean(1)),
    ]
    for ours, theirs in zip(found, maps(expected), strict=False):
        torch.testing.assert_close(ours[0], theirs, rtol=0, atol=1e-12)


def test_no_samples_give_no_records() -> None:
    assert estimated(small_net()).attribute(inputs(1)[:0]) == []
