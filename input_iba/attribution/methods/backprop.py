"""Methods with rules of their own for activations: guided backpropagation and DeepLIFT."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from input_iba.attribution.methods.activations import (
    GuidedReLU6,
    RescaledReLU6,
    fresh_activations,
    plain,
    refuse_hidden_relus,
)
from input_iba.attribution.methods.base import Needs, captum_attr
from input_iba.attribution.methods.gradients import GradientMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.errors import AttributionError
from input_iba.registry import BASELINES
from input_iba.settings import setting

GUIDED = {nn.ReLU: plain, nn.ReLU6: lambda _: GuidedReLU6()}
"""Activations that guided backpropagation knows."""

ACTIVATIONS = (nn.ReLU, nn.ELU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Softplus, nn.Softmax)
POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
RESCALED = {nn.ReLU6: lambda _: RescaledReLU6(), **dict.fromkeys((*ACTIVATIONS, *POOLS), plain)}
"""Modules for which captum's DeepLIFT has a rule; ReLU6 is put together from two of them."""


@BASELINES.register_module(name="guided_bp")
@dataclass(frozen=True)
class GuidedBackprop(GradientMethod):
    """The gradient, in which every ReLU stops what is negative.

    References:
        Springenberg et al. 2015 (arXiv 1412.6806), section 3.4.
    """

    name: ClassVar[str] = "guided_bp"
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    channels: str = "abs_sum"

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W)."""
        attr, scorer = captum_attr(), task.scorer(self.score)
        refuse_hidden_relus(task.model, task.run_one, self.name)
        with fresh_activations(task.model, task.run_one, GUIDED) as replaced, _without_warnings():
            if not replaced:
                raise AttributionError(
                    f"Method {self.name!r} is about ReLU, and no nn.ReLU or nn.ReLU6 is called in "
                    f"{type(task.model).__name__}. Use another method, such as 'gradient'."
                )
            return self.reduced(task, attr.GuidedBackprop(scorer).attribute(task.leaf()))


@BASELINES.register_module(name="deep_shap")
@dataclass(frozen=True)
class DeepShap(GradientMethod):
    """Contributions by DeepLIFT's rescale rule, averaged over inputs to compare with.

    References:
        Lundberg and Lee 2017 (arXiv 1705.07874), section 4.2; Shrikumar et al. 2017 (arXiv
        1704.02685), section 3.5.1.
    """

    name: ClassVar[str] = "deep_shap"
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    signed: ClassVar[bool] = True
    needs: ClassVar[Needs] = "background"
    one_by_one: ClassVar[bool] = True

    n_background: int = setting(10, "inputs of the estimation set to compare with", at_least=2)

    @property
    def rows_per_sample(self) -> int:
        """The input and what it is compared with, once for each."""
        return 2 * self.n_background

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W)."""
        attr, scorer = captum_attr(), task.scorer(self.score)
        background = task.references(self.name, at_least=2)
        self._refuse_unknown(task.model)
        refuse_hidden_relus(task.model, task.run_one, self.name)
        at_once = max(2, task.internal_batch_size // 2)  # captum wants at least two
        parts = background.tensor_split(max(1, len(background) // at_once))
        total = torch.zeros_like(task.inputs)
        with fresh_activations(task.model, task.run_one, RESCALED), _without_warnings():
            for part in parts:
                method = attr.DeepLiftShap(scorer)
                total += len(part) * method.attribute(task.leaf(), part.clone()).detach()
        return self.reduced(task, total / len(background))

    def _refuse_unknown(self, model: nn.Module) -> None:
        for name, module in model.named_modules():
            activation = type(module).__module__ == "torch.nn.modules.activation"
            if activation and type(module) not in RESCALED:
                raise AttributionError(
                    f"Method {self.name!r} has no rule for {type(module).__name__}, layer "
                    f"{name!r}. It knows {', '.join(sorted(kind.__name__ for kind in RESCALED))}. "
                    "Use another method, such as 'int_grad'."
                )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Leave out captum's notes about the hooks that it sets and removes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="captum")
        warnings.filterwarnings("ignore", message="Setting (backward|forward)")
        yield
