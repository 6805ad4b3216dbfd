"""What a run trains and on what, ready in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from input_iba.vibi import BlackBox, BlackBoxCopy, ExplainedInputs, Vibi
from input_iba.vibi.commands.black_box import provide_black_box
from input_iba.vibi.commands.checkpoints import build_vibi
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.data import read_pictures
from input_iba.vibi.commands.pictures import write_pictures

EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Prepared:
    """Everything that the loop over epochs needs.

    Attributes:
        vibi: Untrained explainer and approximator, on the device.
        black_box: What they explain.
        train: Training set, with what the black box says.
        validation: Held out of it.
        test: Test set.
        class_names: Names by class index.
        input_shape: Shape of one input.
        accuracy: Of the black box, on the test set.
        checkpoint: File with the black box's weights; may be empty.
        fingerprints: Of training set and test set.
        draw: Draws explanations of some inputs, as `write_pictures` does.
    """

    vibi: Vibi
    black_box: BlackBox
    train: ExplainedInputs
    validation: ExplainedInputs
    test: ExplainedInputs
    class_names: list[str]
    input_shape: tuple[int, ...]
    accuracy: float
    checkpoint: str
    fingerprints: tuple[str, str]
    draw: Callable[[Vibi, BlackBox, Tensor, Path], None]


def prepare_pictures(
    config: VibiConfig, device: torch.device, autocast: torch.dtype | None, seed: int
) -> Prepared:
    """Read the pictures, provide the black box and build explainer and approximator.

    Raises:
        ConfigError: Something in the config does not fit.
        DataError: The pictures are not there.
        CheckpointError: The black box's checkpoint does not fit.
    """
    pictures = read_pictures(config.data, seed)
    torch.manual_seed(seed)
    # Built first, so that a wrong k is said before the black box is trained.
    vibi = build_vibi(config, pictures.shape, len(pictures.class_names), autocast).to(device)
    trained = provide_black_box(config, pictures, device, autocast, seed)
    for network in (vibi.explainer, vibi.approximator):
        if isinstance(network, BlackBoxCopy):
            network.start_from(trained.classifier)
    black_box = BlackBox(trained.classifier, pictures.normalize, autocast)
    train, validation, test = (
        explained(part.pixels, black_box, device)
        for part in (pictures.train, pictures.validation, pictures.test)
    )
    return Prepared(
        *(vibi, black_box, train, validation, test, pictures.class_names, pictures.shape),
        accuracy=trained.accuracy,
        checkpoint=trained.checkpoint,
        fingerprints=pictures.fingerprints,
        draw=partial(write_pictures, class_names=pictures.class_names),
    )


def as_inputs(device: torch.device) -> Callable[[Tensor], Tensor]:
    """Return what maps 8-bit pictures to pictures in [0, 1] on a device."""
    return lambda pixels: pixels.to(device).float() / 255


def explained(pixels: Tensor, black_box: BlackBox, device: torch.device) -> ExplainedInputs:
    """Ask the black box once about every picture, (N, C, H, W), uint8."""
    prepare = as_inputs(device)
    batches = (prepare(part) for part in torch.split(pixels, EVALUATION_BATCH))
    return ExplainedInputs(pixels, black_box.in_batches(batches), prepare)
