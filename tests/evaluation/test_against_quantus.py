"""Our metrics give what Quantus gives where tutorials/evaluation.md says so."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from input_iba.evaluation import (
    degradation,
    impute,
    insertion_deletion,
    mass_inside,
    pointing_game,
    relative_changes,
    sanity_check,
    sensitivity_n,
    structural_similarity,
    top_inside,
    unit_range,
)

SIZE = (8, 12)
COUNT = 3
TARGETS = [2, 0, 1]
PLAIN = {"abs": False, "normalise": False, "disable_warnings": True, "return_aggregate": False}
"""Quantus changes maps unless it is told not to."""


@pytest.fixture(scope="module")
def quantus() -> Any:
    """Return the package, which takes long to import: not while tests are collected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("quantus")


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.Tanh(),
        nn.Conv2d(4, 3, 3, padding=1),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(3 * SIZE[0] * SIZE[1], 3),
    ).eval()


@pytest.fixture(scope="module")
def inputs() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(COUNT, 1, *SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def heats() -> NDArray[np.float64]:
    """Return maps without ties: Quantus does not say in which order it takes equal pixels."""
    draws = np.random.default_rng(1)
    return np.stack([draws.permutation(96).reshape(SIZE) / 96 for _ in range(COUNT)])


@pytest.fixture(scope="module")
def regions() -> NDArray[np.bool_]:
    found = np.zeros((COUNT, *SIZE), dtype=bool)
    found[0, 1:4, 2:9], found[1, 5:, :3], found[2, 0, 0] = True, True, True
    return found


def located(metric: Any, model: nn.Module, x: Any, heats: Any, regions: Any) -> list[float]:
    scores = metric(
        model=model,
        x_batch=x,
        y_batch=np.array(TARGETS),
        a_batch=heats[:, None],
        s_batch=regions[:, None],
    )
    return [float(score) for score in scores]


def followed(metric: Any, model: nn.Module, x: Any, heats: Any, softmax: bool) -> NDArray[Any]:
    scores = metric(
        model=model, x_batch=x, y_batch=np.array(TARGETS), a_batch=heats[:, None], softmax=softmax
    )
    return np.asarray(scores, dtype=float)


def test_pointing_game(quantus: Any, model: Any, inputs: Any, heats: Any, regions: Any) -> None:
    heats = heats.copy()
    heats[0, 2, 4] = 2  # one hit
    expected = located(quantus.PointingGame(**PLAIN), model, inputs, heats, regions)
    found = pointing_game(torch.from_numpy(heats), torch.from_numpy(regions), tolerance=0)
    assert found.tolist() == expected
    assert expected[0] == 1


@pytest.mark.parametrize("name", ["AttributionLocalisation", "RelevanceMassAccuracy"])
def test_mass_inside(
    quantus: Any, model: Any, inputs: Any, heats: Any, regions: Any, name: str
) -> None:
    expected = located(getattr(quantus, name)(**PLAIN), model, inputs, heats, regions)
    found = mass_inside(torch.from_numpy(heats), torch.from_numpy(regions))
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_mass_inside_of_signed_maps(
    quantus: Any, model: Any, inputs: Any, heats: Any, regions: Any
) -> None:
    signed = heats - 0.5
    options = PLAIN | {"positive_attributions": True}
    metric = quantus.AttributionLocalisation(**options)
    expected = located(metric, model, inputs, signed, regions)
    found = mass_inside(torch.from_numpy(signed), torch.from_numpy(regions))
    assert found.tolist() == pytest.approx(expected, abs=1e-6)


def test_rank_accuracy_and_top_k(
    quantus: Any, model: Any, inputs: Any, heats: Any, regions: Any
) -> None:
    tensors = torch.from_numpy(heats), torch.from_numpy(regions)
    metric = quantus.RelevanceRankAccuracy(**PLAIN)
    expected = located(metric, model, inputs, heats, regions)
    assert top_inside(*tensors).tolist() == pytest.approx(expected, abs=1e-6)
    for k in (1, 10, 95):
        metric = quantus.TopKIntersection(k=k, **PLAIN)
        expected = located(metric, model, inputs, heats, regions)
        assert top_inside(*tensors, k).tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("pixels_a_step", [1, 8])
def test_pixel_flipping_is_deletion(
    quantus: Any, model: Any, inputs: Any, heats: Any, pixels_a_step: int
) -> None:
    metric = quantus.PixelFlipping(features_in_step=pixels_a_step, perturb_baseline=0.0, **PLAIN)
    expected = followed(metric, model, inputs, heats, softmax=True)
    tensors = torch.from_numpy(inputs), torch.from_numpy(heats)
    found = insertion_deletion(model, *tensors, TARGETS, pixels_a_step)
    # Quantus leaves out the score of the whole input.
    np.testing.assert_allclose(found.deletion[:, 1:], expected, atol=1e-6)


@pytest.mark.parametrize("order", ["morf", "lerf"])
def test_region_perturbation_is_degradation(
    quantus: Any, model: Any, inputs: Any, heats: Any, order: str
) -> None:
    metric = quantus.RegionPerturbation(
        patch_size=4, order=order, regions_evaluation=6, perturb_baseline=0.0, **PLAIN
    )
    expected = followed(metric, model, inputs, heats, softmax=True)
    found = degradation(
        model, torch.from_numpy(inputs), torch.from_numpy(heats), TARGETS, tile_size=4
    )
    curve = found.morf if order == "morf" else found.lerf
    # Quantus reports what is lost, not what is left.
    np.testing.assert_allclose(curve[:, :1] - curve[:, 1:], expected, atol=1e-6)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_imputation_is_that_of_road(quantus: Any, inputs: Any, heats: Any, share: float) -> None:
    count = round(share * SIZE[0] * SIZE[1])
    for x, heat in zip(inputs, heats, strict=True):
        hottest = np.argsort(-heat.flatten())[:count]
        removed = torch.zeros(SIZE, dtype=torch.bool)
        removed.view(-1)[torch.from_numpy(hottest)] = True
        expected = quantus.functions.perturb_func.noisy_linear_imputation(x, hottest, noise=0)
        found = impute(torch.from_numpy(x)[None], removed[None])[0]
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("n", [5, 40])
def test_faithfulness_correlation_is_sensitivity_n(
    quantus: Any, model: Any, inputs: Any, heats: Any, n: int
) -> None:
    pixels, runs = SIZE[0] * SIZE[1], 20
    np.random.seed(4)  # Quantus draws from numpy's global generator, a set per sample and run
    drawn = [
        [np.random.choice(pixels, n, replace=False) for _ in range(COUNT)] for _ in range(runs)
    ]
    np.random.seed(4)
    metric = quantus.FaithfulnessCorrelation(
        nr_runs=runs, subset_size=n, perturb_baseline=0.0, **PLAIN
    )
    expected = followed(metric, model, inputs, heats, softmax=False)
    sets = torch.zeros(COUNT, runs, pixels, dtype=torch.bool)
    for run, of_run in enumerate(drawn):
        for sample, chosen in enumerate(of_run):
            sets[sample, run, torch.from_numpy(chosen)] = True
    tensors = torch.from_numpy(inputs), torch.from_numpy(heats)
    found = sensitivity_n(model, *tensors, TARGETS, sets.view(COUNT, runs, *SIZE))
    np.testing.assert_allclose(found.correlation, expected, atol=1e-5)


def gradient(model: nn.Module, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    logits: Tensor = model(x)
    [slopes] = torch.autograd.grad(logits[range(COUNT), TARGETS].sum(), x)
    return slopes[:, 0].abs()


def test_maximum_sensitivity(quantus: Any, model: Any, inputs: Any) -> None:
    seen = list[Tensor]()

    def explain(x: Tensor) -> Tensor:  # a batch, as if it were one input
        seen.append(x)
        return gradient(model, x)[1]

    found = relative_changes(explain, torch.from_numpy(inputs), 0.3, 4).max()
    changed = iter(x.numpy().reshape(COUNT, -1) for x in seen[1:])
    metric = quantus.MaxSensitivity(nr_samples=4, perturb_func=lambda **_: next(changed), **PLAIN)
    expected = metric(
        model=model,
        x_batch=inputs,
        y_batch=np.array(TARGETS),
        a_batch=gradient(model, seen[0]).numpy()[:, None],
        explain_func=lambda model, inputs, targets, **_: gradient(
            model, torch.as_tensor(inputs)
        ).numpy()[:, None],
    )
    assert found.item() == pytest.approx(expected[1], rel=1e-4)


def test_parameter_randomisation_is_the_sanity_check(
    quantus: Any, model: Any, inputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def similarity(a: NDArray[Any], b: NDArray[Any], batched: bool) -> NDArray[Any]:
        first, second = (torch.from_numpy(v.astype(float).reshape(-1, *SIZE)) for v in (a, b))
        return structural_similarity(unit_range(first), unit_range(second), 5).numpy()

    def explain(model: nn.Module, inputs: Any, targets: Any, **_: Any) -> NDArray[Any]:
        return gradient(model, torch.as_tensor(inputs)).numpy()[:, None]

    metric = quantus.MPRT(similarity_func=similarity, layer_order="top_down", seed=6, **PLAIN)
    expected = metric(
        model=model, x_batch=inputs, y_batch=np.array(TARGETS), a_batch=None, explain_func=explain
    )
    assert expected.pop("original") == pytest.approx([1] * COUNT)
    # Quantus gives every layer the same seed, one above its own; ours depends on the name too.
    monkeypatch.setattr("input_iba.evaluation.reinitialise.zlib.crc32", lambda _: 7)
    found = sanity_check(
        model, lambda changed: gradient(changed, torch.from_numpy(inputs)), window=5
    )
    assert list(found.layers) == list(expected) == ["5", "2", "0"]
    np.testing.assert_allclose(found.ssim, list(expected.values()), atol=1e-5)
    assert float(found.ssim.min()) < 0.9
