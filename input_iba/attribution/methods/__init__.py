"""Other methods of attribution under the interface of our own: maps to compare with."""

from input_iba.attribution.methods.amortised import Amortised
from input_iba.attribution.methods.attributor import MethodAttributor
from input_iba.attribution.methods.backprop import DeepShap, GuidedBackprop
from input_iba.attribution.methods.base import Method, check_explains
from input_iba.attribution.methods.cams import GradCam, GradCamPlusPlus, LayerCam, ScoreCam
from input_iba.attribution.methods.coiba import CoIBA
from input_iba.attribution.methods.extremal import ExtremalPerturbation
from input_iba.attribution.methods.gradients import (
    Gradient,
    InputXGradient,
    IntegratedGradients,
    SmoothGrad,
    SmoothIntegratedGradients,
)
from input_iba.attribution.methods.paths import BlurIntegratedGradients, ExpectedGradients
from input_iba.attribution.methods.perturbation import Occlusion, Rise
from input_iba.attribution.methods.simple import IBA, Random
from input_iba.attribution.methods.surrogate import KernelShap, Lime
from input_iba.attribution.methods.task import MethodTask
from input_iba.attribution.methods.transformers import AttentionRollout, GradientAttention, LeGrad

__all__ = [
    "IBA",
    "Amortised",
    "AttentionRollout",
    "BlurIntegratedGradients",
    "CoIBA",
    "DeepShap",
    "ExpectedGradients",
    "ExtremalPerturbation",
    "GradCam",
    "GradCamPlusPlus",
    "Gradient",
    "GradientAttention",
    "GuidedBackprop",
    "InputXGradient",
    "IntegratedGradients",
    "KernelShap",
    "LayerCam",
    "LeGrad",
    "Lime",
    "Method",
    "MethodAttributor",
    "MethodTask",
    "Occlusion",
    "Random",
    "Rise",
    "ScoreCam",
    "SmoothGrad",
    "SmoothIntegratedGradients",
    "check_explains",
]


def __getattr__(name: str) -> object:
    """Return what was renamed under its former name."""
    former = {"Baseline": Method, "BaselineAttributor": MethodAttributor}
    if name in former:
        return former[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
