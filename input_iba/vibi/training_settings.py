"""The settings of VIBI's training: keys of configs, and options of the command."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.errors import ConfigError
from input_iba.settings import Settings, setting

LOSSES = ("rationale", "published")
"""Whether the black box is in the loop, so that the chosen chunks convince it, or not."""


def spelled(name: str) -> tuple[str, ...]:
    """Return an option as the published script spells it, and with dashes.

    >>> spelled("work_dir"), spelled("k")
    (('--work_dir', '--work-dir'), ('--k',))
    """
    return tuple(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))


@dataclass(frozen=True)
class VibiTraining(Settings):
    """How explainer and approximator are trained."""

    PLACE = "training."

    epochs: int = setting(
        4,
        "passes of explainer and approximator over the data",
        at_least=1,
        flag=spelled("num_epochs"),
    )
    batch_size: int = setting(128, "inputs per step", at_least=1)
    lr: float = setting(3e-3, "peak of the one-cycle learning rate of AdamW", above=0)
    copied_lr: float = setting(
        0.0, "the same of what starts as a copy of the black box; 0 for `lr`", at_least=0
    )
    weight_decay: float = setting(1e-2, "of AdamW", at_least=0)
    warm_up: float = setting(0.2, "share in which the learning rate rises", above=0, below=1)
    beta: float = setting(
        0.0,
        "beta in the objective I(y,t) - beta I(x,t), the weight of KL(p(z|x), uniform); 0 is L2X",
        at_least=0,
        flag="--beta",
        metavar="BETA",
    )
    num_samples: int = setting(
        1,
        "draws of masks per input, for the mean over p(t|x)",
        at_least=1,
        flag=spelled("num_samples"),
    )
    temperature: float = setting(0.7, "of the relaxed samples at the start", above=0)
    final_temperature: float = setting(0.1, "at the end; it falls geometrically", above=0)
    straight_through: bool = setting(
        False,
        "show hard masks in training, as evaluation does, with the gradient of the relaxed ones",
    )
    loss: str = setting(
        "rationale",
        "rationale: the black box's own cross-entropy on the chunks that are shown is part of it, "
        "so that they convince the black box too; published: that of the paper, without it",
        choices=LOSSES,
        flag="--loss",
    )
    black_box_weight: float | None = setting(
        None,
        "weight of the black box's own cross-entropy on the chunks that are shown (default: 1, or "
        "0 for the published loss)",
        at_least=0,
        flag=spelled("black_box_weight"),
        metavar="WEIGHT",
    )
    top_k_weight: float = setting(
        1.0,
        "weight of the approximator's cross-entropy on the inputs that evaluation shows it, of "
        "which the k likeliest chunks are left; it teaches the approximator only",
        at_least=0,
    )
    flip: bool = setting(False, "mirror half of the images")
    padding: int = setting(
        0,
        "pixels by which images are shifted at most; of mirrored and shifted images the black box "
        "is asked anew in every step",
        at_least=0,
    )

    def __post_init__(self) -> None:
        """Check the settings, and that the loss is what its name says."""
        super().__post_init__()
        if self.loss == "published" and self.black_box_weight:
            raise ConfigError(
                "training.loss='published' has no black box in it; got black_box_weight="
                f"{self.black_box_weight:g}. Set training.loss='rationale' (--loss rationale), or "
                "remove training.black_box_weight (--black_box_weight)."
            )

    @property
    def weight_of_black_box(self) -> float:
        """Weight of the black box's own cross-entropy.

        >>> VibiTraining().weight_of_black_box, VibiTraining(loss="published").weight_of_black_box
        (1.0, 0.0)
        """
        if self.black_box_weight is not None:
            return self.black_box_weight
        return 1.0 if self.loss == "rationale" else 0.0
