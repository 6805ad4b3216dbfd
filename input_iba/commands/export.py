"""Write a classifier and its explainer as one graph, and beside it how images are prepared."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torchvision.transforms import v2

from input_iba.attribution.amortised import Explainer, check_exportable, export_explainer
from input_iba.commands.export_options import ExportOptions
from input_iba.config.build import build_classifier
from input_iba.config.load import RunConfig
from input_iba.core.files import written_whole
from input_iba.core.outputs import class_names_of
from input_iba.datasets import build_dataset
from input_iba.datasets.class_index import named_classes
from input_iba.datasets.pipeline import Pipeline
from input_iba.errors import DataError

LOGGER = logging.getLogger(__name__)


def run_export(
    explainer: Explainer, config: RunConfig, options: ExportOptions
) -> tuple[Path, Path]:
    """Write the graph of a config's classifier and an explainer.

    Returns:
        The file of the graph, and that of how images are prepared for it and what classes are
        called, as JSON.

    Raises:
        ConfigError: The explainer is for another classifier, or for texts.
        AttributionError: The classifier cannot be written as one graph.
        MissingExtraError: A package of the extra 'export' is not installed.
    """
    check_exportable(explainer, options.format)
    classifier, path = build_classifier(config), options.out
    how: dict[str, Any] = {"layout": config.layout, "output": config.output}
    how |= {"format": options.format, "any_class": options.any_class}
    export_explainer(path, explainer, classifier, config.kind.modality(classifier), **how)
    said = {
        **preparation(Pipeline(config.attribution_data.get("pipeline", [])), explainer.plan.inputs),
        "classes": class_names(config, classifier, explainer.plan.classes),
        "softmax": config.use_softmax,
    }
    beside = path.with_suffix(".json")
    with written_whole(beside) as aside:
        aside.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path, beside


def preparation(pipeline: Pipeline, shape: Sequence[int]) -> dict[str, Any]:
    """Return how images are prepared, as plain data.

    It is: `input`, (C, H, W); `resize`, the pixels of the shorter side, or height and width, or
    None, before the middle is cut out; `mean` and `std` of pixels in [0, 1], one per channel.
    """
    resize: int | list[int] | None = None
    for step in pipeline.spatial:
        if isinstance(step, v2.Resize) and step.size is not None:
            size = list(step.size)
            resize = size[0] if len(size) == 1 else size
        elif not isinstance(step, v2.CenterCrop):
            LOGGER.warning(
                "%s of data.attribution's pipeline is not said in the JSON beside the graph: "
                "prepare images as the pipeline does.",
                type(step).__name__,
            )
    normalize, channels = pipeline.normalize, shape[0]
    mean, std = ((0.0,), (1.0,)) if normalize is None else (normalize.mean, normalize.std)
    return {
        "input": list(shape),
        "resize": resize,
        "mean": list(mean if len(mean) == channels else mean * channels),
        "std": list(std if len(std) == channels else std * channels),
    }


def class_names(config: RunConfig, classifier: nn.Module, count: int) -> list[str]:
    """Return what classes are called, by index; nothing where names are not known for all."""
    try:
        names = build_dataset(config.attribution_data).class_names
    except DataError:  # no image is needed here
        found = named_classes(config.attribution_data.get("classes"))
        names = None if found is None else list(found.names)
    names = names or list(class_names_of(classifier))
    return list(names) if len(names) == count else []
