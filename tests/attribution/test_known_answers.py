"""The maps must find the one patch that a classifier depends on."""

import pytest
import torch

from input_iba.attribution import Attributor
from input_iba.config.load import load_config
from input_iba.config.presets import PRESETS
from input_iba.records import Attribution
from input_iba.registry import PRIORS, build
from tests.attribution.nets import PATCH, SIDE, PatchClassifier, pictures


def share_inside(heat: torch.Tensor, corner: tuple[int, int]) -> float:
    """Return which share of the hottest pixels, as many as the patch has, lies inside it."""
    hottest = heat.flatten().argsort(descending=True, stable=True)[: PATCH * PATCH]
    rows, columns = hottest // SIDE - corner[0], hottest % SIDE - corner[1]
    inside = (rows >= 0) & (rows < PATCH) & (columns >= 0) & (columns < PATCH)
    return inside.double().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
@pytest.mark.parametrize("corner", [(0, 0), (18, 18), (30, 10)], ids=str)
def test_the_patch_is_found(corner: tuple[int, int], residual: bool, preset: str) -> None:
    net = PatchClassifier(corner, residual).calibrate(pictures(8))
    config = load_config("configs/samples.py", preset=preset)
    attributor = Attributor(
        net,
        "block",
        feature_iba=config.feature_iba,
        prior=build(PRIORS, config.prior),
        input_iba=config.input_iba,
    )
    attributor.estimate([torch.cat([pictures(40, seed=1), torch.randn(40, 3, SIDE, SIDE)])])
    [found] = attributor.attribute(pictures(1, seed=2), [1])
    assert isinstance(found, Attribution)
    assert found.prediction == 1
    assert share_inside(found.feature_mask, corner) >= 0.8
    assert share_inside(found.input_mask, corner) >= 0.8
