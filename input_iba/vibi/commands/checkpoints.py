"""Checkpoints of explainer and approximator: weights and plain data, nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba.datasets.normalization import Normalize
from input_iba.errors import CheckpointError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.results import written_whole
from input_iba.vibi import (
    CopiedApproximator,
    CopiedExplainer,
    Vibi,
    build_approximator,
    build_explainer,
)
from input_iba.vibi.commands.black_box import build_like_black_box
from input_iba.vibi.commands.config import VibiConfig, vibi_config

FORMAT = 1


@dataclass(frozen=True)
class LoadedVibi:
    """What a checkpoint holds.

    Attributes:
        vibi: Explainer and approximator, in eval mode.
        config: Of the run that trained them.
        class_names: Names by class index.
        input_shape: Channels, height and width of the pictures it was trained on.
        black_box: File with the weights of the black box; empty where the config says.
        metrics: Of the epoch that the weights come from.
    """

    vibi: Vibi
    config: VibiConfig
    class_names: list[str]
    input_shape: tuple[int, int, int]
    black_box: str
    metrics: Mapping[str, Any]


def build_vibi(
    config: VibiConfig,
    shape: tuple[int, int, int],
    classes: int,
    autocast: torch.dtype | None = None,
) -> Vibi:
    """Build explainer and approximator, untrained, for pictures of a shape (C, H, W).

    Those that start as copies of the black box have its layers, not yet its weights: see
    `BlackBoxCopy.start_from`.

    Raises:
        ConfigError: Chunks, explainer and pictures do not fit together.
    """
    channels, height, width = shape
    grid = config.explainer.grid(channels, height, width)
    normalize = Normalize(config.data.mean, config.data.std)

    def copy() -> nn.Module:
        return build_like_black_box(config, channels, classes)

    explainer = (
        build_explainer(config.explainer, channels, grid)
        if config.explainer.start == "random"
        else CopiedExplainer(copy(), normalize, grid, channels)
    )
    approximator = (
        build_approximator(config.approximator, channels, classes)
        if config.approximator.start == "random"
        else CopiedApproximator(copy(), normalize)
    )
    return Vibi(explainer, approximator, grid, config.explainer.k, autocast)


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain data, whole or not at all."""
    with written_whole(path) as aside:
        torch.save({"format": FORMAT, **content}, aside)


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; nothing in the file is executed.

    Raises:
        CheckpointError: The file is absent, or no checkpoint of this kind.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        found = content["format"]
    except Exception as error:  # torch.load raises whatever its unpickler meets
        raise CheckpointError(
            f"'{path}' cannot be read as a checkpoint of VIBI ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'empty'}). Expected best.pth or "
            "last.pth of a folder that `input-iba vibi train` wrote."
        ) from error
    if found != FORMAT:
        raise CheckpointError(
            f"'{path}' has format {found!r}, expected {FORMAT}. Train again with this release."
        )
    return content


def load_vibi(path: Path, device: torch.device | str = "cpu") -> LoadedVibi:
    """Build explainer and approximator of a checkpoint and load their weights.

    Raises:
        CheckpointError: The file cannot be used.
    """
    content = read_checkpoint(path, device)
    config = vibi_config(content["config"], content["name"], path)
    channels, height, width = content["input_shape"]
    vibi = build_vibi(config, (channels, height, width), len(content["class_names"]))
    fit_state_dict(vibi, content["vibi"], path)
    return LoadedVibi(
        vibi.to(device).eval(),
        config,
        content["class_names"],
        (channels, height, width),
        content["black_box"],
        content["metrics"],
    )
