"""The three stages and the pipeline that runs them."""

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.feature_iba import FeatureBottleneck, FeatureIBA
from input_iba.attribution.input_iba import InputBottleneck
from input_iba.attribution.outcome import described
from input_iba.attribution.presets import FAST, FAST_TEXT, PAPER, PAPER_TEXT, Preset
from input_iba.attribution.priors import (
    ConstantPrior,
    FittedPrior,
    Prior,
    SaliencyPrior,
    SlicedWassersteinPrior,
    TextWGANPrior,
    WGANPrior,
)
from input_iba.attribution.task import AttributionTask
from input_iba.core.optimise import Progress

__all__ = [
    "FAST",
    "FAST_TEXT",
    "PAPER",
    "PAPER_TEXT",
    "AttributionTask",
    "Attributor",
    "ConstantPrior",
    "FeatureBottleneck",
    "FeatureIBA",
    "FittedPrior",
    "InputBottleneck",
    "Preset",
    "Prior",
    "Progress",
    "SaliencyPrior",
    "SlicedWassersteinPrior",
    "TextWGANPrior",
    "WGANPrior",
    "described",
]


def __getattr__(name: str) -> object:
    """Give the settings of stage 3 under their former name, which the front door has now."""
    if name == "InputIBA":
        return InputBottleneck
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
