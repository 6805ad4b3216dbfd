"""The evaluation classes have the published signatures: names, order and defaults."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from input_iba.evaluation import (
    Degradation,
    EffectiveHeatRatios,
    NLPInsertionDeletion,
    NLPSensitivityN,
    SanityCheck,
    VisionInsertionDeletion,
    VisionSensitivityN,
)

NEEDED = inspect.Parameter.empty
CALLS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (EffectiveHeatRatios, {"base_threshold": 0.1}),
    (
        EffectiveHeatRatios.evaluate,
        {"heatmap": NEEDED, "roi": NEEDED, "return_curve": False, "weight_by_heat": True},
    ),
    (VisionInsertionDeletion, {"classifier": NEEDED, "pixel_batch_size": 10, "sigma": 5.0}),
    (
        VisionInsertionDeletion.evaluate,
        {"heatmap": NEEDED, "input_tensor": NEEDED, "target": NEEDED},
    ),
    (
        VisionSensitivityN,
        {"classifier": NEEDED, "input_size": NEEDED, "n": NEEDED, "num_masks": 100},
    ),
    (
        VisionSensitivityN.evaluate,
        {"heatmap": NEEDED, "input_tensor": NEEDED, "target": NEEDED, "calculate_corr": False},
    ),
    (NLPInsertionDeletion, {"classifier": NEEDED, "pixel_batch_size": 2, "sigma": 5.0}),
    (NLPInsertionDeletion.evaluate, {"heatmap": NEEDED, "text": NEEDED, "target": NEEDED}),
    (NLPSensitivityN, {"classifier": NEEDED, "text_size": NEEDED, "n": NEEDED, "num_masks": 100}),
    (
        NLPSensitivityN.evaluate,
        {"heatmap": NEEDED, "text": NEEDED, "target": NEEDED, "calculate_corr": False},
    ),
    (SanityCheck, {"attributor": NEEDED}),
    (
        SanityCheck.evaluate,
        {
            **{"heatmap": NEEDED, "input_tensor": NEEDED, "target": NEEDED},
            **{"attribution_cfg": None, "perturb_layers": None, "check": "gan"},
            **{"verbose": False, "save_dir": None, "save_heatmaps": False},
        },
    ),
    (
        Degradation,
        {"model": NEEDED, "target": NEEDED, "tile_size": NEEDED, "store_imgs": False, "batch": 8},
    ),
    (Degradation.evaluate, {"heatmap": NEEDED, "image": NEEDED}),
]


@pytest.mark.parametrize(("call", "expected"), CALLS)
def test_parameters_have_their_published_names_order_and_defaults(
    call: Callable[..., Any], expected: dict[str, Any]
) -> None:
    parameters = {k: v for k, v in inspect.signature(call).parameters.items() if k != "self"}
    first = list(parameters.values())[: len(expected)]
    assert {p.name: p.default for p in first} == expected
    # What is ours comes after it, and may be left out.
    assert all(p.default is not NEEDED for p in list(parameters.values())[len(expected) :])
