"""What methods share: one interface, and the checks of their settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.amortised import Explainer
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.hooks import find_layer
from input_iba.core.targets import SCORES
from input_iba.errors import AttributionError, ConfigError, import_extra
from input_iba.registry import BASELINES
from input_iba.settings import Settings, setting

Needs = Literal["nothing", "background", "statistics"]
"""What a method asks of the estimation set: some of its inputs, or a layer's statistics."""


@dataclass(frozen=True)
class Method(Settings, ABC):
    """A method of attribution with its settings; one instance explains any number of samples.

    Attributes:
        name: The method's name, as configs and commands have it.
        signed: Whether negative values speak against the target; else maps are not negative.
        explains: Kinds of input that it can explain.
        needs: What it asks of the estimation set.
        planar: Whether its masks have two dimensions, as those of signals and volumes have not.
        uses_captum: Whether captum computes it.
        one_by_one: Whether samples go through one after the other, because a method's own
            inputs of one sample keep a device busy.
        counted_by: Setting that says how many inputs these are; empty for one.
    """

    PLACE = "baseline."

    name: ClassVar[str]
    signed: ClassVar[bool] = False
    explains: ClassVar[frozenset[str]] = frozenset({"images", "texts"})
    needs: ClassVar[Needs] = "nothing"
    planar: ClassVar[bool] = False
    uses_captum: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = False
    counted_by: ClassVar[str] = ""

    @property
    def rows_per_sample(self) -> int:
        """Inputs that one sample sends through the classifier at once, if memory allows."""
        return int(getattr(self, self.counted_by)) if self.counted_by else 1

    @property
    def layer_name(self) -> str:
        """Name of the layer that the method looks at; empty for none."""
        return str(getattr(self, "layer", ""))

    def check(self, classifier: nn.Module) -> None:
        """Refuse a classifier that the method cannot explain.

        Raises:
            MissingExtraError: A package that the method needs is not installed.
            LayerNotFoundError: The classifier does not have the layer that the method looks at.
        """
        if self.uses_captum:
            captum_attr()
        if self.layer_name:
            find_layer(classifier, self.layer_name)

    def fingerprint(self) -> str:
        """Return a digest of what the method reads from a file; empty where it reads none."""
        return ""

    def reader(self, classifier: nn.Module) -> Explainer | None:
        """Return what reads the features of a classifier in the pass in which it answers, if any.

        Raises:
            DataError: The method's file cannot be read.
            ConfigError: It is for another classifier.
        """
        return None

    def explain(self, task: MethodTask) -> Tensor:
        """Return the maps of S samples in the method's own units, (S, H, W) or (S, T).

        Of texts they are 0 at padding and special tokens.

        Raises:
            AttributionError: The method does not fit the classifier, or lacks what it needs.
        """
        if self.planar and task.inputs.ndim != 4:
            raise AttributionError(
                f"Method {self.name!r} makes masks of two dimensions and explains images (C, H, W) "
                f"alone; got inputs {tuple(task.inputs.shape[1:])}. Occlusion, the methods of "
                "gradients and class activation maps explain signals and volumes too."
            )
        samples, maps = len(task.ids), list[Tensor]()
        at_once = task.internal_batch_size // self.rows_per_sample
        size = 1 if self.one_by_one else max(1, at_once)
        for start in range(0, samples, size):
            stop = min(start + size, samples)
            part = task.select(range(start, stop))
            found = part.tokens.zeroed(self.maps(part).detach())
            maps.append(F.pad(found, (0, task.map_size[-1] - found.shape[-1])))
            if task.progress is not None:
                task.progress(self.name, stop, samples, {})
        return torch.cat(maps)

    @abstractmethod
    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W) or (s, T); of one if `one_by_one` is set."""


def check_explains(method: type[Method], kind: str) -> None:
    """Refuse a method that cannot explain a kind of input.

    Raises:
        ConfigError: Names those that can.
    """
    if kind not in method.explains:
        able = [name for name, other in BASELINES.module_dict.items() if kind in other.explains]
        remedy = "Explain one of them, and pass the others as additional_forward_args=."
        if able:
            remedy = f"Methods that can: {', '.join(able)}."
        raise ConfigError(f"Method {method.name!r} cannot explain {kind}. {remedy}")


@dataclass(frozen=True)
class ScoringMethod(Method):
    """A method that explains one number of each sample."""

    score: str = setting("logit", "what is explained", choices=SCORES)


def captum_attr() -> Any:
    """Import captum's methods, or raise a `MissingExtraError`."""
    return import_extra("captum.attr", "captum", "baselines")
