"""Explainers that are trained once: a mask in the pass in which the classifier answers."""

from input_iba.attribution.amortised.build import build_explainer, entered
from input_iba.attribution.amortised.explainer import Explainer, labels_of
from input_iba.attribution.amortised.exported import (
    FORMATS,
    SUFFIXES,
    Format,
    check_exportable,
    export_explainer,
)
from input_iba.attribution.amortised.files import WEIGHTS, facts_of, read_explainer, write_explainer
from input_iba.attribution.amortised.objective import behind_noise, divergence

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "WEIGHTS",
    "Explainer",
    "Format",
    "behind_noise",
    "build_explainer",
    "check_exportable",
    "divergence",
    "entered",
    "export_explainer",
    "facts_of",
    "labels_of",
    "read_explainer",
    "write_explainer",
]
