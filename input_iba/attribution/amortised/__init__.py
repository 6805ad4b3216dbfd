"""Explainers that are trained once: a mask in the pass in which the classifier answers."""

from input_iba.attribution.amortised.explainer import Explainer, build_explainer
from input_iba.attribution.amortised.files import read_explainer, write_explainer


__all__ = ["Explainer", "build_explainer", "read_explainer", "write_explainer"]
