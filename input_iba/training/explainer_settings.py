"""How explainers are trained, as callers and commands say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.errors import ConfigError
from input_iba.run.options import DeviceOptions
from input_iba.settings import Settings, setting

if TYPE_CHECKING:
    from input_iba.modality import Modality


@dataclass(frozen=True)
class ExplainerTraining(Settings):
    """How an explainer is trained; the learning rate rises and falls once."""

    PLACE = "--"

    epochs: int = setting(30, "passes over the inputs", at_least=1)
    lr: float = setting(3e-3, "peak learning rate", above=0)
    batch_size: int = setting(16, "inputs per step", at_least=1)
    weight_decay: float = setting(0.05, "of AdamW", at_least=0)
    views: int = setting(
        1,
        "images only: views of each that are learned from, itself and crops: more need as many "
        "times the time, and say more",
        at_least=1,
    )
    others: float = setting(
        0.25,
        "share of the inputs of which another likely class is learned, beside the predicted one",
        at_least=0,
        at_most=1,
    )
    crop: float = setting(
        0.5,
        "images only: share of the area that the smallest of the random crops has; 1 for none",
        above=0,
        at_most=1,
    )
    flip: bool = setting(True, "images only: mirror half of them")
    clip: float = setting(1.0, "greatest norm of the gradient", above=0)
    seed: int = setting(0, "seeds all that is drawn: noise, order, augmentation, weights")

    def views_of(self, modality: Modality) -> int:
        """Return how many views of each input are learned from: one where a part is no input."""
        return self.views if modality.movable else 1


@dataclass(frozen=True)
class Objective(Settings):
    """How much counts what an explainer is trained for.

    References:
        Zhang et al. 2021 (arXiv 2110.01471), equation 8, for the objective; docs/METHOD.md, section
        12, for both, and for what they are worth.
    """

    PLACE = "--"

    maps: float = setting(
        1.0,
        "weight of the divergence from the maps of the optimised method",
        at_least=0,
        flag="--maps-weight",
    )
    behind: float = setting(
        0.0,
        "weight of the optimised method's own objective: the target's loss behind the noise, and "
        "beta times the mean capacity",
        at_least=0,
        flag="--objective-weight",
    )
    beta: float = setting(20.0, "weight of the mean capacity in it", at_least=0)

    def __post_init__(self) -> None:
        """Refuse an objective of which nothing is left."""
        super().__post_init__()
        if self.maps == self.behind == 0:
            raise ConfigError(
                "Both weights of the objective, maps and behind, are 0: there is nothing to learn. "
                "Give one of them a weight."
            )


@dataclass(frozen=True)
class ExplainerOptions(DeviceOptions):
    """What the command line says, beside the settings."""

    work_dir: Path = setting(
        None,
        "folder of the explainer, log and resumable state (default: workdirs/explainer_<name of "
        "the config>)",
        metavar="DIR",
    )
    num_samples: int = setting(
        0, "learn from N inputs drawn at random by --seed; 0 for all", at_least=0
    )
    resume: bool = setting(
        False, "continue after the last batch that is explained, or the last whole epoch"
    )
