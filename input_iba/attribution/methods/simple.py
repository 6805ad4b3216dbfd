"""The two ends: the feature bottleneck alone, and chance."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.feature_iba import FeatureIBA
from input_iba.attribution.methods.base import Method, Needs
from input_iba.attribution.methods.task import MethodTask
from input_iba.attribution.task import AttributionTask, Task
from input_iba.core.classifier import Classifier
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality
from input_iba.registry import BASELINES
from input_iba.settings import setting


@BASELINES.register_module(name="iba")
@dataclass(frozen=True)
class IBA(Method):
    """The mask of the feature bottleneck, in bits per pixel or token.

    References:
        Schulz et al. 2020 (arXiv 2001.00396); docs/METHOD.md, section 2.
    """

    name: ClassVar[str] = "iba"
    uses_captum: ClassVar[bool] = False
    needs: ClassVar[Needs] = "statistics"

    layer: str = setting("", "layer at which the bottleneck sits; empty for attributor.layer")
    feature_iba: FeatureIBA = field(default_factory=FeatureIBA)

    @property
    def rows_per_sample(self) -> int:
        """All noise draws."""
        return self.feature_iba.batch_size

    def attributor(
        self, runner: Classifier, modality: Modality, device: torch.device, layout: Layout | None
    ) -> Attributor:
        """Return what estimates the layer's statistics."""
        return Attributor(
            runner.model,
            self.layer,
            feature_iba=self.feature_iba,
            modality=modality,
            device=device,
            autocast=runner.autocast,
            layout=layout,
            output=runner.output,
        )

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, …); NaN where the loss was not finite."""
        if task.statistics is None:
            raise AttributionError(
                "Method 'iba' needs the layer's statistics. Call estimate(batches) first, or give "
                "statistics=... to the MethodAttributor."
            )
        common = {part.name: getattr(task, part.name) for part in fields(Task)}
        common["classifier"] = task.tapped(self.layer, self.feature_iba.input_or_output)
        fitted = self.feature_iba.fit(AttributionTask(**common), task.statistics)
        failed = torch.tensor([reason is not None for reason in fitted.failures])
        fitted.saliency[failed] = torch.nan
        return fitted.saliency


@BASELINES.register_module(name="random")
@dataclass(frozen=True)
class Random(Method):
    """Numbers from U(0, 1): what any map must beat."""

    name: ClassVar[str] = "random"
    uses_captum: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = True  # so that a text's numbers do not depend on its padding

    def maps(self, task: MethodTask) -> Tensor:
        """Return the map of one sample, (1, H, W) or (1, T)."""
        return task.noise(self.name).uniform(0, 1, *task.map_size)
