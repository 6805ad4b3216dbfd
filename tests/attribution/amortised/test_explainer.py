"""Explainers: what they read, whose they are, files, and where a start begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from input_iba import InputIBA
from input_iba.attribution import AttributionTask
from input_iba.attribution.amortised import (
    Explainer,
    build_explainer,
    entered,
    read_explainer,
    write_explainer,
)
from input_iba.attribution.amortised.explainer import DEVIATION, MEAN
from input_iba.core.classifier import Classifier
from input_iba.errors import AttributionError, ConfigError, DataError, LayerNotFoundError
from input_iba.modality import TextModality, VisionModality
from tests.attribution.amortised.nets import PAD, TinyLSTM, images, sentences, single_net
from tests.conftest import Unchanged


def made(net: nn.Module, seed: int = 0, **how: object) -> Explainer:
    """Return an untrained explainer of images, whose weights all have values."""
    classifier, vision = Classifier(net), VisionModality()
    values, tokens = entered(net, vision, images(12))
    explainer, _ = build_explainer(classifier, vision, values, tokens, seed=seed, **how)  # type: ignore[arg-type]
    with torch.no_grad():
        for weight in explainer.decoder.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return explainer


def assert_equal(one: Explainer, other: Explainer) -> None:
    assert one.plan == other.plan
    weights = other.state_dict()
    assert one.state_dict().keys() == weights.keys()
    for name, value in one.state_dict().items():
        assert torch.equal(value, weights[name]), name


def test_building_leaves_the_classifier_as_it_was(unchanged: Unchanged) -> None:
    net = single_net()
    with unchanged(net):
        explainer = made(net)
    assert explainer.plan.classes == 3
    assert explainer.plan.given
    assert not explainer.vectors.requires_grad


def test_a_seed_decides_the_weights_and_nothing_else_is_drawn() -> None:
    vision = VisionModality()
    how = entered(single_net(), vision, images(12))
    state = torch.get_rng_state()
    first, again, other = (
        build_explainer(Classifier(single_net()), vision, *how, seed=seed)[0] for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert_equal(first, again)
    assert not torch.equal(
        first.decoder.state_dict()["image.weight"], other.decoder.state_dict()["image.weight"]
    )


def test_without_a_linear_layer_at_the_end_numbers_of_classes_are_learned() -> None:
    explainer = made(nn.Sequential(single_net(), nn.Tanh()))
    assert not explainer.plan.given
    assert explainer.vectors.requires_grad
    assert explainer.vectors.shape == (3, explainer.plan.asked)


def test_layers_can_be_named_and_must_exist() -> None:
    explainer = made(single_net(), taps=["0", "2"])
    assert [tap.layer for tap in explainer.taps] == ["0", "2"]
    with pytest.raises(LayerNotFoundError, match="'nothing' not found"):
        made(single_net(), taps=["nothing"])


def test_shares_sum_to_one_and_depend_on_the_class() -> None:
    net = single_net()
    explainer = made(net)
    watched = explainer.watching(net, VisionModality())
    x = images(3)
    with torch.no_grad(), watched.frozen():
        _, features = watched.look(x)
        maps = [explainer.maps(x, features, torch.full((3,), label)) for label in (0, 1)]
    assert maps[0].shape == (3, 8, 8)
    assert (maps[0] >= 0).all()
    torch.testing.assert_close(maps[0].flatten(1).sum(1), torch.ones(3))
    assert not torch.allclose(maps[0], maps[1], atol=1e-4)


def test_of_texts_nothing_lies_at_padding() -> None:
    net, modality, ids = TinyLSTM(2), TextModality(pad=PAD), sentences(5, seed=1)
    values, tokens = entered(net, modality, ids)
    taps = ["rnn_1", "rnn_2"]
    explainer, watched = build_explainer(
        Classifier(net, run=modality.run), modality, values, tokens, taps=taps
    )
    with torch.no_grad(), watched.frozen():
        _, features = watched.look(values, tokens)
        maps = explainer.maps(values, features, torch.zeros(5, dtype=torch.int64), tokens.counted)
    assert (maps[ids == PAD] == 0).all()
    assert (maps[ids != PAD] > 0).all()
    torch.testing.assert_close(maps.sum(1), torch.ones(5))


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    explainer = made(single_net())
    read = read_explainer(write_explainer(tmp_path / "made" / "e.pth", explainer))
    assert_equal(read, explainer)
    assert not read.training
    assert not any(weight.requires_grad for weight in read.parameters())
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["e.pth"]


def test_a_file_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "e.pth"
    for seed in (1, 2):
        explainer = made(single_net(), seed=seed)
        assert_equal(read_explainer(write_explainer(file, explainer)), explainer)


@pytest.mark.parametrize("content", ["text", "tensors", "half", "other weights", "other plan"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "e.pth"
    write_explainer(file, made(single_net()))
    whole = torch.load(file, weights_only=True)
    if content == "text":
        file.write_text("not an explainer")
    elif content == "tensors":
        torch.save({"state_dict": {"a": torch.ones(1)}}, file)
    elif content == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif content == "other weights":
        torch.save({**whole, "explainer": {"a": torch.ones(1)}}, file)
    else:
        torch.save({**whole, "plan": {"kind": "images"}}, file)
    with pytest.raises(DataError, match=r"e\.pth' does not hold an explainer: .*Expected a file"):
        read_explainer(file)


def test_an_absent_file_is_refused_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not exist.*input-iba train explainer"):
        read_explainer(tmp_path / "nothing.pth")


def test_other_weights_and_other_inputs_are_refused() -> None:
    net = single_net()
    explainer = made(net)
    explainer.check(single_net())  # equal weights
    with torch.no_grad():
        next(net.parameters()).view(-1)[0] += 1e-4
    with pytest.raises(ConfigError, match="with other weights than this Sequential"):
        explainer.check(net)
    with pytest.raises(ConfigError, match=r"trained for images, and these inputs are texts"):
        explainer.watching(TinyLSTM(), TextModality(pad=PAD))


def test_dense_logits_are_refused() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1))
    with pytest.raises(AttributionError, match=r"logits \(B, classes\)|puts out"):
        made(net)


class Noting:
    """A start that keeps what it returned."""

    def __init__(self, explainer: Explainer) -> None:
        self.explainer = explainer
        self.seen: list[Tensor] = []

    def start(self, task: AttributionTask) -> Tensor:
        self.seen.append(self.explainer.start(task))
        return self.seen[-1]

    def check(self, classifier: nn.Module) -> None:
        self.explainer.check(classifier)

    def reads(self, classifier: nn.Module) -> Sequence[nn.Module]:
        return self.explainer.reads(classifier)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_start_has_the_mean_and_deviation_of_optimised_masks(
    precision: str, unchanged: Unchanged
) -> None:
    net = single_net()
    start = Noting(made(net))
    iba = InputIBA(net, "4", preset="instant", start=start, precision=precision)
    with unchanged(net):
        iba.fit(images(20)).attribute(images(3))
    [alpha] = start.seen
    assert alpha.shape == (3, 1, 8, 8)
    torch.testing.assert_close(alpha.mean((1, 2, 3)), torch.full((3,), MEAN))
    deviations = alpha.std((1, 2, 3), correction=0)
    torch.testing.assert_close(deviations, torch.full((3,), DEVIATION), rtol=1e-3, atol=1e-3)


# Between '0' and the next layer lies a batch norm, which the optimised method folds.
@pytest.mark.parametrize("taps", [None, ["0"]], ids=["chosen", "before a norm"])
def test_a_start_reads_the_features_that_the_classifier_has_by_itself(
    taps: list[str] | None,
) -> None:
    net = single_net()
    start = Noting(made(net, taps=taps))
    iba = InputIBA(net, "4", preset="instant", start=start, precision="fp32").fit(images(20))
    iba.attribute(images(3))
    expected = start.explainer.start(iba.attributor.task(images(3)))
    torch.testing.assert_close(start.seen[0], expected, rtol=1e-4, atol=1e-4)
