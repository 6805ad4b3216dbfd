"""Explainers that are trained once and then explain an input in one pass: VIBI and L2X."""

from input_iba.vibi.approximators import ApproximatorSettings, build_approximator
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.chunks import ChunkGrid, Chunks
from input_iba.vibi.copies import BlackBoxCopy, CopiedApproximator, CopiedExplainer
from input_iba.vibi.explainers import STRIDES, ExplainerSettings, build_explainer
from input_iba.vibi.fidelity import Fidelity, measure_fidelity
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.losses import jensen_shannon, kl_from_uniform, soft_cross_entropy
from input_iba.vibi.model import Vibi
from input_iba.vibi.sampling import annealed, hard_top_k, relaxed_k_hot
from input_iba.vibi.trainer import VibiTrainer, VibiTraining

__all__ = [
    "STRIDES",
    "ApproximatorSettings",
    "BlackBox",
    "BlackBoxCopy",
    "ChunkGrid",
    "Chunks",
    "CopiedApproximator",
    "CopiedExplainer",
    "ExplainedInputs",
    "ExplainerSettings",
    "Fidelity",
    "Vibi",
    "VibiTrainer",
    "VibiTraining",
    "annealed",
    "build_approximator",
    "build_explainer",
    "hard_top_k",
    "jensen_shannon",
    "kl_from_uniform",
    "measure_fidelity",
    "relaxed_k_hot",
    "soft_cross_entropy",
]
