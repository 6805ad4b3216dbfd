"""Other methods of attribution under the interface of our own: maps to compare with."""

from input_iba.attribution.baselines.attributor import BaselineAttributor
from input_iba.attribution.baselines.backprop import DeepShap, GuidedBackprop
from input_iba.attribution.baselines.base import Baseline, check_explains_text
from input_iba.attribution.baselines.extremal import ExtremalPerturbation
from input_iba.attribution.baselines.grad_cam import GradCam
from input_iba.attribution.baselines.gradients import (
    Gradient,
    InputXGradient,
    IntegratedGradients,
    SmoothGrad,
)
from input_iba.attribution.baselines.occlusion import Occlusion
from input_iba.attribution.baselines.rise import Rise
from input_iba.attribution.baselines.simple import IBA, Random
from input_iba.attribution.baselines.surrogate import KernelShap, Lime
from input_iba.attribution.baselines.task import BaselineTask

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
