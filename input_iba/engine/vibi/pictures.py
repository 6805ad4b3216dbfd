"""Pictures of a run: explanations of test pictures, and the course of the training."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from input_iba.vibi import BlackBox, Vibi


def write_pictures(vibi: Vibi, black_box: BlackBox, inputs: Tensor, folder: Path) -> None:
    """Draw explanations of some inputs.

    Args:
        vibi: Explainer and approximator.
        black_box: What they explain.
        inputs: Pictures (n, C, H, W), uint8, on the CPU.
        folder: Where to write; made when it is missing.
    """


def write_curves(metrics: Path, folder: Path) -> None:
    """Draw what `metrics.jsonl` holds over the epochs.

    Args:
        metrics: The file.
        folder: Where to write; made when it is missing.
    """
