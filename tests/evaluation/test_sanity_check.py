"""Sanity check: it tells maps that depend on the weights from those that do not."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.errors import ConfigError, EvaluationError, LayerNotFoundError
from input_iba.evaluation import (
    SanityCheck,
    cascade,
    sanity_check,
    structural_similarity,
    unit_range,
)
from input_iba.records import Attribution
from tests.attribution.nets import small_attributor, small_net
from tests.conftest import Unchanged

LAYERS = ["8", "4.conv", "1", "0"]
SIDE = 12


def picture(samples: int = 2) -> Tensor:
    """Return smooth pictures, (S, 2, SIDE, SIDE), each with a bright square in another place."""
    generator = torch.Generator().manual_seed(0)
    x = 0.1 * torch.randn(samples, 2, SIDE, SIDE, generator=generator, dtype=torch.float64)
    for i in range(samples):
        x[i, :, 2 + 3 * i : 6 + 3 * i, 3:8] += 2
    return x


def gradient(model: nn.Module) -> Tensor:
    x = picture().requires_grad_()
    logits: Tensor = model(x)
    [slopes] = torch.autograd.grad(logits[:, 1].sum(), x)
    return slopes.abs().sum(1)


def edges(_: nn.Module) -> Tensor:
    x = picture().mean(1)
    return nn.functional.pad(x.diff(dim=1).abs(), (0, 0, 0, 1))


def test_an_edge_detector_fails_and_a_gradient_passes(unchanged: Unchanged) -> None:
    model = small_net().eval()
    with unchanged(model):
        fails, passes = (sanity_check(model, method, LAYERS) for method in (edges, gradient))
    assert fails.ssim.shape == (4, 2)
    assert fails.maps.shape == (4, 2, SIDE, SIDE)
    assert fails.ssim.flatten().tolist() == pytest.approx([1] * 8)
    assert (passes.ssim[-1] < 0.5).all()


def test_equals_the_steps_written_out() -> None:
    model, told = small_net().eval(), []
    found = sanity_check(
        model, gradient, LAYERS, seed=3, window=5, report=lambda layer, _: told.append(layer)
    )
    assert list(found.layers) == told == LAYERS
    original = gradient(model)
    for i in range(len(LAYERS)):
        with cascade(model, LAYERS[: i + 1], seed=3) as steps:
            list(steps)
            expected = gradient(model)
        assert torch.equal(found.maps[i], expected)
        ssim = structural_similarity(unit_range(original), unit_range(expected), 5)
        assert found.ssim[i].tolist() == pytest.approx(ssim.tolist(), abs=1e-12)
    given = sanity_check(model, gradient, LAYERS, original=255 * original, seed=3, window=5)
    assert given.ssim.tolist() == pytest.approx(found.ssim.numpy(), abs=1e-9)


def test_all_layers_by_default() -> None:
    assert sanity_check(small_net().eval(), edges).layers == ("8", "4.conv", "1", "0")


def test_maps_that_cannot_be_compared_are_refused() -> None:
    model = small_net().eval()
    with pytest.raises(EvaluationError, match="NaN"):
        sanity_check(model, lambda _: edges(model) / 0, LAYERS)
    with pytest.raises(EvaluationError, match="Resize"):
        sanity_check(model, edges, LAYERS, original=torch.rand(2, 20, 20))
    with pytest.raises(EvaluationError, match="at most 12"):
        sanity_check(model, edges, LAYERS, window=13)


@pytest.fixture
def attributor() -> Attributor:
    made = small_attributor(small_net().eval())
    made.estimate([picture(16)])
    return made


def call(checked: SanityCheck, **keys: Any) -> list[float]:
    [first] = checked.attributor.attribute(picture(1), [1], seed=0)
    assert isinstance(first, Attribution)
    arguments = {"attribution_cfg": None, "perturb_layers": LAYERS, **keys}
    found = checked.evaluate(first.prior_mask, picture(1)[0], 1, **arguments)
    assert set(found) == {"ssim_all"}
    ssim: list[float] = found["ssim_all"]
    return ssim


def test_the_published_call(attributor: Attributor, unchanged: Unchanged) -> None:
    model = attributor.classifier.model
    settings = (attributor.feature_iba, attributor.prior, attributor.input_iba)
    statistics = attributor.statistics

    def explain(_: nn.Module) -> Tensor:
        [result] = attributor.attribute(picture(1), [1], seed=0)
        assert isinstance(result, Attribution)
        return result.prior_mask[None]

    with unchanged(model):
        values = call(SanityCheck(attributor))
    expected = sanity_check(model, explain, LAYERS)
    assert values == pytest.approx(expected.ssim[:, 0].tolist(), abs=1e-9)
    assert (attributor.feature_iba, attributor.prior, attributor.input_iba) == settings
    assert attributor.statistics is statistics


def test_statistics_follow_the_weights_where_batches_are_given(attributor: Attributor) -> None:
    statistics, seen = attributor.statistics, []
    estimate = attributor.estimate

    def noted(batches: Any) -> Any:
        seen.append(estimate(batches).mean)
        return attributor.statistics

    attributor.estimate = noted  # type: ignore[method-assign, assignment]
    call(SanityCheck(attributor, estimation=[picture(16)]))
    assert statistics is not None
    assert len(seen) == len(LAYERS)
    assert torch.equal(seen[0], statistics.mean), "only the last layer, above, has changed"
    assert not torch.equal(seen[1], seen[0])
    assert attributor.statistics is statistics


def test_settings_of_the_call(attributor: Attributor) -> None:
    first = call(SanityCheck(attributor), check="input_iba")
    longer = {"input_iba": {"opt_steps": 9, "lr": 2.0}, "gan": {}, "feat_mask": {"upscale": True}}
    assert call(SanityCheck(attributor), check="input_iba", attribution_cfg=longer) != first
    assert attributor.input_iba.opt_steps == 4
    other = call(SanityCheck(attributor, seed=1), check="input_iba")
    assert other != first


def test_maps_are_saved(
    attributor: Attributor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "maps/one"
    with caplog.at_level(logging.INFO, "input_iba"):
        call(SanityCheck(attributor), save_dir=folder, save_heatmaps=True, verbose=True)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{i:02d}_{layer}.npy" for i, layer in enumerate(LAYERS)]
    assert np.load(folder / names[0]).shape == (SIDE, SIDE)
    assert [message.count("SSIM") for message in caplog.messages] == [1] * len(LAYERS)


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"check": "gam"}, EvaluationError, "Closest: 'gan'"),
        ({"save_heatmaps": True}, EvaluationError, "needs save_dir"),
        ({"perturb_layers": ["8", "classifier.6"]}, LayerNotFoundError, "classifier.6"),
        ({"attribution_cfg": {"gan": {"epoch": 1}}}, ConfigError, "Closest: 'epochs'"),
        ({"attribution_cfg": {"input_iba": {"lr": -1.0}}}, ConfigError, "lr"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    attributor: Attributor, keys: dict[str, Any], error: type[Exception], message: str
) -> None:
    kept = attributor.prior, attributor.statistics
    with pytest.raises(error, match=message):
        call(SanityCheck(attributor), **keys)
    assert (attributor.prior, attributor.statistics) == kept


def test_a_sample_that_cannot_be_explained_says_why(
    attributor: Attributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = attributor.classifier.model.get_submodule("8")
    assert isinstance(head, nn.Linear)
    heat = np.random.default_rng(0).random((SIDE, SIDE))

    def broken() -> None:
        nn.init.constant_(head.weight, torch.nan)

    monkeypatch.setattr(head, "reset_parameters", broken)
    with pytest.raises(EvaluationError, match="could not be explained"):
        SanityCheck(attributor).evaluate(heat, picture(1)[0], 1, None, ["8"])
    assert bool(head.weight.isfinite().all())
