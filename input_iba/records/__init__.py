"""The frozen dataclasses that the parts of the toolkit hand to each other."""

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
    "HARDLY",
    "MERGES",
    "AsksOutput",
    "Attribution",
    "Explanation",
    "Failure",
    "FeatureStatistics",
    "ImageSample",
    "Sample",
    "Target",
    "TargetLoss",
    "Targets",
    "TextSample",
    "described",
    "held_behind",
    "shown_at",
    "warning_of",
]
