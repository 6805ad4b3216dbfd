"""Recommendations for models of a caller's: what is tried, what is measured, and where it leads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import input_iba
from input_iba.attribution import FAST, FAST_TEXT, PAPER, ConstantPrior, Preset, Reading
from input_iba.attribution.recommend.candidates import (
    FEATURE_BETA,
    INPUT_BETA,
    LAYER,
    PRIOR,
    Present,
)
from input_iba.attribution.recommend.recommendation import Recommendation
from input_iba.errors import ConfigError, EvaluationError
from input_iba.evaluation.halving import PRESENT
from input_iba.modality import TextModality
from tests.attribution.text_nets import PAD, TinyLSTM, sentences, train_on_planted_word


def shortened(preset: Preset) -> Preset:
    """Return a preset with few steps of few draws."""
    return replace(
        preset,
        feature_iba=replace(preset.feature_iba, opt_steps=6, batch_size=2),
        input_iba=replace(preset.input_iba, opt_steps=6, batch_size=2),
    )


SHORT, SHORT_TEXT = shortened(FAST), shortened(FAST_TEXT)


@pytest.fixture(scope="module")
def planted() -> tuple[nn.Module, Tensor]:
    """Return a network that finds a bright or dark square in noise, and images with one each."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        images, classes = 0.5 * torch.randn(240, 1, 16, 16), torch.arange(240) % 3
        for image, label in zip(images, classes.tolist(), strict=True):
            top, left = (int(torch.randint(12, ())) for _ in range(2))
            image[0, top : top + 4, left : left + 4] += (-2.0, 2.0, 0.0)[label]
        net = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()),
            *(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
        )
        optimiser = torch.optim.Adam(net.parameters(), 1e-2)
        for _ in range(100):
            some = torch.randint(240, (64,))
            optimiser.zero_grad()
            loss = F.cross_entropy(net(images[some]), classes[some])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return net, images[classes < 2][:16]


@pytest.fixture(scope="module")
def found(planted: tuple[nn.Module, Tensor]) -> Recommendation:
    net, images = planted
    dull = replace(SHORT, reading=Reading(contrast=0.01, smoothing=0.0))
    iba = input_iba.InputIBA(net, layer="4", preset=dull)
    return iba.recommend(images, data=images, minutes=5, tried_samples=4, held_out=6, keep=1)


def test_a_better_setting_is_found_and_is_better_on_samples_held_out(found: Recommendation) -> None:
    assert found.changes == found.searched != PRESENT
    assert found.preset.reading != Reading(contrast=0.01, smoothing=0.0)
    before, after = (
        sum(row["difference"] for row in rows) / len(rows) for rows in (found.now, found.then)
    )
    assert len(found.now) == len(found.then) == 6
    assert after > before + 0.01
    assert {"insertion", "deletion", "agreement", "seconds"} <= found.then[0].keys()


def test_layers_of_several_sizes_both_betas_and_priors_are_tried(found: Recommendation) -> None:
    keys = {key for one in found.tried for key in one.changes}
    assert {LAYER, FEATURE_BETA, INPUT_BETA, PRIOR} <= keys
    assert "1" in {one.changes.get(LAYER) for one in found.tried}


def test_what_is_found_explains_as_it_was_measured(
    found: Recommendation, planted: tuple[nn.Module, Tensor]
) -> None:
    net, images = planted
    iba = input_iba.InputIBA(net, layer=found.layer, preset=found.preset)
    assert iba.fit(images).attribute(images[:2]).maps.shape == (2, 1, 16, 16)


def test_it_prints_as_tables_with_a_verdict(found: Recommendation) -> None:
    text = str(found)
    assert "On samples held out" in text
    assert "two seeds" in text
    assert "recommended." in text
    worse = replace(found, changes=PRESENT)
    assert "the present setting stays" in worse.verdict()


def test_the_model_comes_back_as_it_was(planted: tuple[nn.Module, Tensor]) -> None:
    net, images = planted
    net.train()
    iba = input_iba.InputIBA(net, layer="4", preset=SHORT)
    iba.recommend(images, minutes=1e-6, target=None, tried_samples=4, held_out=4)
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    net.eval()


def test_texts_are_tried_too() -> None:
    net, ids = train_on_planted_word(TinyLSTM(classes=2)), sentences(12, seed=5)
    iba = input_iba.InputIBA(net, layer="rnn_2", preset=SHORT_TEXT, modality=TextModality(pad=PAD))
    found = iba.recommend(ids, 1, data=ids, minutes=1e-6)
    assert len({one.changes.get(LAYER) for one in found.tried}) > 1
    assert found.now[0]["insertion"] > found.now[0]["deletion"]


def test_too_few_sure_samples_are_refused(planted: tuple[nn.Module, Tensor]) -> None:
    net, images = planted
    with pytest.raises(EvaluationError, match=r"needs 8 samples .* there are 7"):
        input_iba.InputIBA(net, layer="4", preset=SHORT).recommend(images[:7])


@pytest.mark.parametrize("target", [[0, 1], lambda logits: logits[:, 0]])
def test_several_questions_are_refused(planted: tuple[nn.Module, Tensor], target: object) -> None:
    net, images = planted
    with pytest.raises(ConfigError, match="one question of all samples"):
        input_iba.InputIBA(net, layer="4", preset=SHORT).recommend(images, target)


def test_changes_are_applied_to_the_stages() -> None:
    now = Present("a", FAST)
    flat = {"type": "ConstantPrior", "value": 0.5}
    changes = {LAYER: "b", PRIOR: flat, INPUT_BETA: 2.0, "attribution_cfg.map.source": "gain"}
    then = now.changed(changes)
    assert then.layer == "b"
    assert then.preset.prior == ConstantPrior(value=0.5)
    assert then.preset.input_iba == replace(FAST.input_iba, beta=2.0)
    assert then.preset.reading.source == "gain"
    assert now.changed(PRESENT) == now


def test_what_is_there_already_is_not_tried_again() -> None:
    axes = {axis.key: axis.values for axis in Present("a", FAST).axes(["a", "b", "b"])}
    assert axes[LAYER] == ["b"]
    assert FAST.input_iba.beta not in axes[INPUT_BETA]
    assert len(axes[PRIOR]) == 2
    assert len(Present("a", PAPER).axes([])) == 3  # no other layer
    contrasts = [one.get("attribution_cfg.map.contrast") for one in Present("a", FAST).readings()]
    assert contrasts.count(32.0) == 0
