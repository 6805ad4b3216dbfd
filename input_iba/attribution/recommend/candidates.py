"""What is tried, in the terms of a config: layers, both β, priors, and readings of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from input_iba.attribution.presets import Preset
from input_iba.evaluation.halving import PRESENT, Axis, Changes
from input_iba.registry import PRIORS, build

LAYER, PRIOR = "attributor.layer", "attributor.gan"

FIELDS = {"feat_iba": "feature_iba", "input_iba": "input_iba", "map": "reading"}
"""From the sections of `attribution_cfg` to the fields of a `Preset`."""

FEATURE_BETA, INPUT_BETA = (f"attribution_cfg.{part}.beta" for part in ("feat_iba", "input_iba"))

FEATURE_FACTORS, INPUT_FACTORS = (1 / 3, 3.0), (0.1, 1 / 3, 3.0)
"""By what β is multiplied."""

PRIORS_TRIED: Sequence[Mapping[str, Any]] = (
    {"type": "SaliencyPrior", "low": 0.25, "high": 0.75},
    {"type": "SaliencyPrior", "low": 0.45, "high": 0.5},
    {"type": "ConstantPrior", "value": 0.5},
)

READINGS: Sequence[Changes] = (
    *({"source": "mask", "contrast": contrast} for contrast in (2.0, 8.0, 32.0)),
    {"source": "gain"},
    {"source": "product", "smoothing": 0.0},
    {"source": "product", "smoothing": 0.035},
)
"""Ways to read the map from one fit."""


@dataclass(frozen=True)
class Present:
    """The setting from which a search begins."""

    layer: str
    preset: Preset

    def changed(self, changes: Changes) -> Present:
        """Return this setting with the values of a candidate.

        >>> from input_iba.attribution import FAST
        >>> now = Present("layer2", FAST)
        >>> now.changed({"attribution_cfg.map.contrast": 2.0}).preset.reading.contrast
        2.0
        """
        layer, preset = self.layer, self.preset
        for key, value in changes.items():
            section, _, name = key.removeprefix("attribution_cfg.").partition(".")
            if key == LAYER:
                layer = value
            elif key == PRIOR:
                preset = replace(preset, prior=build(PRIORS, value))
            else:
                field = FIELDS[section]
                part = replace(getattr(preset, field), **{name: value})
                preset = replace(preset, **{field: part})
        return Present(layer, preset)

    def axes(self, layers: Sequence[str]) -> list[Axis]:
        """Return what is tried one after the other: layers, both β, and priors."""
        preset = self.preset
        others = [name for name in dict.fromkeys(layers) if name != self.layer]
        priors = [one for one in PRIORS_TRIED if build(PRIORS, one) != preset.prior]
        axes = [
            Axis(LAYER, others),
            Axis(FEATURE_BETA, _around(preset.feature_iba.beta, FEATURE_FACTORS)),
            Axis(INPUT_BETA, _around(preset.input_iba.beta, INPUT_FACTORS)),
            Axis(PRIOR, priors),
        ]
        return [axis for axis in axes if axis.values]

    def readings(self) -> list[Changes]:
        """Return the ways to read the map, the present one first."""
        tried = [
            {f"attribution_cfg.map.{key}": value for key, value in one.items()} for one in READINGS
        ]
        own = self.preset.reading
        return [PRESENT, *(one for one in tried if self.changed(one).preset.reading != own)]


def _around(beta: float, factors: Sequence[float]) -> list[float]:
    """Return multiples of β, to three digits."""
    return [float(f"{beta * factor:.3g}") for factor in factors] if beta > 0 else []
