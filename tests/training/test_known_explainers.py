"""Trained explainers find what was planted, in inputs that they have not seen."""

from __future__ import annotations

import copy

import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from input_iba import AmortisedIBA
from input_iba.training.explainer_settings import ExplainerTraining
from tests.attribution.amortised.nets import coloured, of_colours, of_words
from tests.attribution.objects import EDGE, GREEN, RED, SIZE, inside, squares
from tests.attribution.text_nets import PLANTED, TinyLSTM, sentences, train_on_planted_word

pytestmark = pytest.mark.slow

ENOUGH = 0.9
"""Of the inputs must have what was planted where their map is hottest."""

SHORT = ExplainerTraining(epochs=10)


def hottest_inside(maps: Tensor, corners: Tensor) -> Tensor:
    """Return for each map (S, H, W) whether its hottest pixel lies in a square or at its edge."""
    places = maps.flatten(1).argmax(1)
    found = torch.stack([places // SIZE, places % SIZE], 1) - corners
    return ((found >= -1) & (found <= EDGE)).all(1)


@pytest.fixture(scope="module", name="net")
def fixture_net() -> nn.Module:
    return of_colours()


@pytest.fixture(scope="module", name="fast")
def fixture_fast(net: nn.Module) -> AmortisedIBA:
    return AmortisedIBA(net).fit(coloured(75, 20_000)[0], training=SHORT)


def test_the_square_that_decides_is_the_hottest(fast: AmortisedIBA) -> None:
    images, corners = coloured(50, 10_000)
    maps = fast.attribute(images).maps[:, 0]
    assert hottest_inside(maps, corners).double().mean() >= ENOUGH
    assert (inside(maps, corners) >= 0.8).double().mean() >= ENOUGH


def test_of_two_squares_each_class_has_its_own(fast: AmortisedIBA) -> None:
    images, corners = squares(50, [RED, GREEN], 30_000)  # never seen together in training
    for label in (0, 1):
        maps = fast.attribute(images, label).maps[:, 0]
        assert hottest_inside(maps, corners[:, label]).double().mean() >= ENOUGH


def test_an_explainer_of_a_network_with_other_last_layers_has_other_maps(
    net: nn.Module, fast: AmortisedIBA
) -> None:
    other = copy.deepcopy(net)
    torch.manual_seed(3)
    for name in ("top.0", "head"):
        layer = other.get_submodule(name)
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        layer.reset_parameters()
    images = coloured(10, 10_000)[0]
    changed = AmortisedIBA(other).fit(coloured(75, 20_000)[0], training=SHORT)
    one, two = (explainer.attribute(images, 0).maps.flatten(1) for explainer in (fast, changed))
    pairs = zip(one.numpy(), two.numpy(), strict=True)
    assert sum(spearmanr(a, b).statistic for a, b in pairs) / len(one) < 0.8


@pytest.mark.parametrize("classes", [1, 2])
def test_the_word_that_decides_is_the_hottest(classes: int) -> None:
    net = train_on_planted_word(TinyLSTM(classes))
    usual = torch.cat([sentences(120, 1), sentences(60, 2, planted=False)])
    fast = of_words(net).fit(usual, training=SHORT)
    ids = sentences(100, 3)
    maps = fast.attribute(ids, 1).maps
    found = ids[torch.arange(100), maps.argmax(1)]
    assert (found == PLANTED).double().mean() >= ENOUGH
