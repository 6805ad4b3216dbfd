"""The frozen dataclasses that the parts of the toolkit hand to each other."""

from input_iba.records.checks import BOUNDS, Belief, Checks, belief
from input_iba.records.evidence import HARDLY, held_behind, shown_at, warning_of
from input_iba.records.explanations import Attribution, Explanation, Failure, described
from input_iba.records.samples import (
    MERGES,
    AsksOutput,
    FeatureStatistics,
    ImageSample,
    Sample,
    Target,
    TargetLoss,
    Targets,
    TextSample,
)

__all__ = [
    "BOUNDS",
    "HARDLY",
    "MERGES",
    "AsksOutput",
    "Attribution",
    "Belief",
    "Checks",
    "Explanation",
    "Failure",
    "FeatureStatistics",
    "ImageSample",
    "Sample",
    "Target",
    "TargetLoss",
    "Targets",
    "TextSample",
    "belief",
    "described",
    "held_behind",
    "shown_at",
    "warning_of",
]
