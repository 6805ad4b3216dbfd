"""Other methods of attribution under the interface of our own: maps to compare with."""

from input_iba.attribution.methods.attributor import BaselineAttributor
from input_iba.attribution.methods.backprop import DeepShap, GuidedBackprop
from input_iba.attribution.methods.base import Baseline, check_explains_text
from input_iba.attribution.methods.extremal import ExtremalPerturbation
from input_iba.attribution.methods.grad_cam import GradCam
from input_iba.attribution.methods.gradients import (
    Gradient,
    InputXGradient,
    IntegratedGradients,
    SmoothGrad,
)
from input_iba.attribution.methods.occlusion import Occlusion
from input_iba.attribution.methods.rise import Rise
from input_iba.attribution.methods.simple import IBA, Random
from input_iba.attribution.methods.surrogate import KernelShap, Lime
from input_iba.attribution.methods.task import BaselineTask

__all__ = [
    "IBA",
    "Baseline",
    "BaselineAttributor",
    "BaselineTask",
    "DeepShap",
    "ExtremalPerturbation",
    "GradCam",
    "Gradient",
    "GuidedBackprop",
    "InputXGradient",
    "IntegratedGradients",
    "KernelShap",
    "Lime",
    "Occlusion",
    "Random",
    "Rise",
    "SmoothGrad",
    "check_explains_text",
]
