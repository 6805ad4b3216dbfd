"""How classifiers are trained, as configs and commands say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.run.options import DeviceOptions
from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class TrainingSettings(Settings):
    """How to train, whatever the samples are; the learning rate rises and falls once."""

    PLACE = "--"

    epochs: int = setting(
        10, "passes over the training set (default: 10 for images, 5 for text)", at_least=1
    )
    lr: float | None = setting(
        None,
        "peak learning rate (default for images: 0.1 with batch normalisation, 0.001 for "
        "transformers, 0.02 for others; for text: 0.003, 0.0001 for transformers, 0.01 where only "
        "their last layer is trained)",
        above=0,
    )
    batch_size: int = setting(
        128, "samples per step (default: 128 for images, 64 for text)", at_least=1
    )
    seed: int = setting(0, "seeds all that is drawn: order, augmentation, dropout")


@dataclass(frozen=True)
class ImageTraining(TrainingSettings):
    """How to train on images."""

    momentum: float = setting(0.9, "Nesterov momentum; of transformers, the first of AdamW's two")
    weight_decay: float = setting(5e-4, "L2 penalty")
    transformer_decay: float = setting(
        0.05, "weight decay of transformers, which AdamW takes times the learning rate"
    )
    padding: int = setting(4, "pixels by which images are shifted at most", at_least=0)
    flip: bool = setting(True, "mirror half of the images")


@dataclass(frozen=True)
class TextTraining(TrainingSettings):
    """How to train on text."""

    epochs: int = 5
    batch_size: int = 64
    max_length: int | None = setting(
        None,
        "text only: longer texts are cut in training, to their last N tokens (default: 400), "
        "for transformers to N word pieces (default: the max_length of data.estimation)",
        at_least=1,
    )
    every_step: float = setting(
        0.5,
        "share of the loss that is the mean over all layers and tokens of the loss of what can be "
        "read there; for classifiers that can say so",
        at_least=0,
        at_most=1,
    )
    clip: float = setting(1.0, "greatest norm of the gradient", above=0)


ON_COMMAND_LINE = ("epochs", "lr", "batch_size", "max_length")
"""Settings that are options as well, of either kind of data."""


@dataclass(frozen=True)
class TrainingOptions(DeviceOptions):
    """What the command line says, beside the settings."""

    work_dir: Path = setting(
        None,
        "folder of log and resumable state (default: workdirs/train_<name of the config>)",
        metavar="DIR",
    )
    train_root: Path | None = setting(None, "folder of training data", metavar="DIR")
    test_root: Path | None = setting(None, "folder of test data", metavar="DIR")
    num_samples: int = setting(
        0,
        "train on N samples drawn at random by --seed, those held out included; 0 for all",
        at_least=0,
    )
    num_test_samples: int = setting(
        0, "test on N samples drawn at random by --seed; 0 for all", at_least=0
    )
    resume: bool = setting(False, "continue after the last whole epoch")
