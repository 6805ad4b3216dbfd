"""Explain new pictures or texts with a trained explainer: one pass each, in milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from input_iba.core.precision import choose_precision
from input_iba.datasets.ids import unique_ids
from input_iba.datasets.normalization import Normalize
from input_iba.errors import DataError
from input_iba.records import Failure
from input_iba.results import file_names
from input_iba.run.device import choose_device
from input_iba.vibi import BlackBox
from input_iba.vibi.commands.black_box import load_black_box
from input_iba.vibi.commands.checkpoints import load_vibi, read_checkpoint
from input_iba.vibi.commands.config import vibi_config
from input_iba.vibi.commands.explanation import ChunkExplanation, ExplainVibiOptions
from input_iba.vibi.commands.images import PictureExplainer
from input_iba.vibi.commands.text_explainer import TextFileExplainer


class FileExplainer(Protocol):
    """What explains files of one kind."""

    def read(self, path: Path) -> Any:
        """Read a file; raises DataError where it cannot be used."""

    def explain(self, read: Any, id_: str, out: Path) -> ChunkExplanation:
        """Explain what `read` returned, and write files named `id_` into `out`."""


def explain_files(
    options: ExplainVibiOptions, paths: Sequence[Path]
) -> Iterator[ChunkExplanation | Failure]:
    """Explain files one by one; what cannot be read becomes a failure.

    Args:
        options: How.
        paths: Picture files, or text files where the explainer was trained on texts.

    Raises:
        ConfigError: The device is not there.
        CheckpointError: A checkpoint cannot be used.
        DataError: The reviews that a text explainer's vocabulary was built from are not there.
    """
    device, _ = choose_device(options.device, options.gpu_id)
    explainer = _explainer(options, device, choose_precision(options.precision, device))
    ids = unique_ids([(path.parent.name, path.name) for path in paths])
    names = file_names(ids)
    for path, id_ in zip(paths, ids, strict=True):
        try:
            read = explainer.read(path)
        except DataError as error:
            yield Failure(str(path), str(error))
            continue
        yield explainer.explain(read, names[id_], options.out)


def _explainer(
    options: ExplainVibiOptions, device: torch.device, autocast: torch.dtype | None
) -> FileExplainer:
    content = read_checkpoint(options.checkpoint)
    if vibi_config(content["config"], content["name"], options.checkpoint).of_texts:
        return TextFileExplainer(options, device, autocast)
    loaded = load_vibi(options.checkpoint, device)
    loaded.vibi.autocast = autocast
    weights = options.black_box or loaded.black_box
    classes = len(loaded.class_names)
    classifier = load_black_box(loaded.config, loaded.input_shape[0], classes, weights, device)
    normalize = Normalize(loaded.config.data.mean, loaded.config.data.std)
    return PictureExplainer(loaded, BlackBox(classifier, normalize, autocast), device)
