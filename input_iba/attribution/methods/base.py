"""What all baselines share: one interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.attribution.methods.task import MethodTask
from input_iba.core.hooks import find_layer
from input_iba.core.targets import SCORES
from input_iba.errors import ConfigError, MissingExtraError
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
        uses_captum: Whether captum computes it.
        one_by_one: Whether samples go through one after the other, because a method's own
            inputs of one sample keep a device busy.
    """

    PLACE = "baseline."

    name: ClassVar[str]
    signed: ClassVar[bool] = False
    explains: ClassVar[frozenset[str]] = frozenset({"images", "texts"})
    needs: ClassVar[Needs] = "nothing"
    uses_captum: ClassVar[bool] = True
    one_by_one: ClassVar[bool] = False

    @property
    def rows_per_sample(self) -> int:
        """Inputs that one sample sends through the classifier at once, if memory allows."""
        return 1

    @property
    def layer_name(self) -> str:
        """Name of the layer that the method looks at; empty for none."""
        return str(getattr(self, "layer", ""))

    def check(self, classifier: nn.Module) -> None:
        """Say now what would keep the method from explaining the classifier.

        Raises:
            MissingExtraError: A package that the method needs is not installed.
            LayerNotFoundError: The classifier does not have the layer that the method looks at.
        """
        if self.uses_captum:
            captum_attr()
        if self.layer_name:
            find_layer(classifier, self.layer_name)

    def explain(self, task: MethodTask) -> Tensor:
        """Return the maps of S samples in the method's own units, (S, H, W) or (S, T).

        Of texts they are 0 at padding and special tokens.

        Raises:
            AttributionError: The method does not fit the classifier, or lacks what it needs.
        """
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
        raise ConfigError(
            f"Method {method.name!r} cannot explain {kind}. Methods that can: {', '.join(able)}."
        )


@dataclass(frozen=True)
class ScoringMethod(Method):
    """A method that explains one number of each sample."""

    score: str = setting("logit", "what is explained", choices=SCORES)


def captum_attr() -> Any:
    """Import captum's methods.

    Raises:
        MissingExtraError: captum is not installed.
    """
    try:
        import captum.attr
    except ImportError as error:
        raise MissingExtraError("captum", "baselines") from error
    return captum.attr
