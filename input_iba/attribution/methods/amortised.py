"""The masks of an explainer that was trained for the classifier, under the interface of methods."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from input_iba.attribution.amortised import Explainer, labels_of, read_explainer
from input_iba.attribution.methods.base import Method
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.precision import precision
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@BASELINES.register_module(name="amortised")
@dataclass(frozen=True)
class Amortised(Method):
    """The map of a trained explainer, from the pass in which the classifier answers."""

    name: ClassVar[str] = "amortised"
    uses_captum: ClassVar[bool] = False

    explainer: Path | Explainer = setting(
        Path(), "file that 'input-iba train explainer' wrote", metavar="FILE"
    )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the explainer's file, if there is one."""
        if isinstance(self.explainer, Explainer) or not self.explainer.is_file():
            return ""
        return hashlib.sha256(self.explainer.read_bytes()).hexdigest()

    def reader(self, classifier: nn.Module) -> Explainer:
        """Return the explainer, once it is found to be this classifier's."""
        explainer = self.explainer
        if not isinstance(explainer, Explainer):
            if explainer == Path():
                raise ConfigError(
                    "Method 'amortised' reads a trained explainer, and none is named. Expected "
                    "its file: --explainer FILE, or explainer='FILE' in the section 'baseline' "
                    "or in suites; 'input-iba train explainer CONFIG' writes one."
                )
            explainer = read_explainer(explainer)
        explainer.check(classifier)
        return explainer

    def maps(self, task: MethodTask) -> Tensor:
        """Return the share of each pixel or word in what speaks for the class, (s, …)."""
        assert task.explainer is not None  # of a method with a reader
        labels = labels_of(task)
        with precision(task.classifier.autocast, task.inputs.device):
            return task.explainer.maps(task.inputs, task.features, labels, task.tokens.counted)
