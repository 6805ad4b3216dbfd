"""The three stages and the pipeline that runs them."""

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.feature_iba import FeatureIBA, FittedFeatures
from input_iba.attribution.input_iba import InputBottleneck
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
from input_iba.attribution.reading import Reading
from input_iba.attribution.task import AttributionTask
from input_iba.core.optimise import Progress
from input_iba.records import described

__all__ = [
    "FAST",
    "FAST_TEXT",
    "PAPER",
    "PAPER_TEXT",
    "AttributionTask",
    "Attributor",
    "ConstantPrior",
    "FeatureIBA",
    "FittedFeatures",
    "FittedPrior",
    "InputBottleneck",
    "Preset",
    "Prior",
    "Progress",
    "Reading",
    "SaliencyPrior",
    "SlicedWassersteinPrior",
    "TextWGANPrior",
    "WGANPrior",
    "described",
]


def __getattr__(name: str) -> object:
    """Return what was renamed under its former name."""
    former = {"InputIBA": InputBottleneck, "FeatureBottleneck": FittedFeatures}
    if name in former:
        return former[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
