"""Explainers that are trained once and then explain an input in one pass: VIBI and L2X."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from input_iba.vibi.approximators import build_approximator as build_approximator
    from input_iba.vibi.black_box import BlackBox as BlackBox
    from input_iba.vibi.black_box import BlackBoxTrainer as BlackBoxTrainer
    from input_iba.vibi.black_box import BlackBoxTraining as BlackBoxTraining
    from input_iba.vibi.chunks import ChunkGrid as ChunkGrid
    from input_iba.vibi.chunks import Chunks as Chunks
    from input_iba.vibi.copies import BlackBoxCopy as BlackBoxCopy
    from input_iba.vibi.copies import CopiedApproximator as CopiedApproximator
    from input_iba.vibi.copies import CopiedExplainer as CopiedExplainer
    from input_iba.vibi.explainers import build_explainer as build_explainer
    from input_iba.vibi.fidelity import Fidelity as Fidelity
    from input_iba.vibi.fidelity import jensen_shannon as jensen_shannon
    from input_iba.vibi.fidelity import measure_fidelity as measure_fidelity
    from input_iba.vibi.inputs import ExplainedInputs as ExplainedInputs
    from input_iba.vibi.model import Vibi as Vibi
    from input_iba.vibi.model import annealed as annealed
    from input_iba.vibi.model import hard_top_k as hard_top_k
    from input_iba.vibi.model import relaxed_k_hot as relaxed_k_hot
    from input_iba.vibi.settings import STRIDES as STRIDES
    from input_iba.vibi.settings import ApproximatorSettings as ApproximatorSettings
    from input_iba.vibi.settings import ExplainerSettings as ExplainerSettings
    from input_iba.vibi.trainer import VibiTrainer as VibiTrainer
    from input_iba.vibi.trainer import kl_from_uniform as kl_from_uniform
    from input_iba.vibi.trainer import soft_cross_entropy as soft_cross_entropy
    from input_iba.vibi.training_settings import VibiTraining as VibiTraining

_NAMES = {
    "approximators": ("build_approximator",),
    "black_box": ("BlackBox", "BlackBoxTrainer", "BlackBoxTraining"),
    "chunks": ("ChunkGrid", "Chunks"),
    "copies": ("BlackBoxCopy", "CopiedApproximator", "CopiedExplainer"),
    "explainers": ("build_explainer",),
    "fidelity": ("Fidelity", "jensen_shannon", "measure_fidelity"),
    "inputs": ("ExplainedInputs",),
    "model": ("Vibi", "annealed", "hard_top_k", "relaxed_k_hot"),
    "settings": ("STRIDES", "ApproximatorSettings", "ExplainerSettings"),
    "trainer": ("VibiTrainer", "kl_from_uniform", "soft_cross_entropy"),
    "training_settings": ("VibiTraining",),
}


def __getattr__(name: str) -> object:
    """Import what is asked for, so that commands answer without waiting for torch."""
    for module, names in _NAMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
