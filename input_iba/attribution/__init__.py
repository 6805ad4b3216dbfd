"""The three stages and the pipeline that runs them."""

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.feature_iba import FeatureBottleneck, FeatureIBA
from input_iba.attribution.input_iba import InputIBA
from input_iba.attribution.outcome import described
from input_iba.attribution.priors import (
    ConstantPrior,
    FittedPrior,
    Prior,
    SaliencyPrior,
    SlicedWassersteinPrior,
    WGANPrior,
)
from input_iba.attribution.task import AttributionTask, rows_at_once
from input_iba.core.optimise import Progress

__all__ = [
    "AttributionTask",
    "Attributor",
    "ConstantPrior",
    "FeatureBottleneck",
    "FeatureIBA",
    "FittedPrior",
    "InputIBA",
    "Prior",
    "Progress",
    "SaliencyPrior",
    "SlicedWassersteinPrior",
    "WGANPrior",
    "described",
    "rows_at_once",
]
