"""Networks by name, with all that is needed to explain them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL.Image import Image
from torch import Tensor, nn

from input_iba.datasets.class_index import imagenet_classes
from input_iba.models.build import build_classifier
from input_iba.models.hub import load_tokenizer
from input_iba.models.named import SOURCES, named_model
from input_iba.models.prepared import transform_of
from input_iba.models.transformers_source import OF_IMAGES, task_of


@dataclass(frozen=True)
class LoadedModel:
    """A network, and how its inputs are made.

    Attributes:
        model: In eval mode, on the CPU.
        transform: Makes a normalised tensor (C, H, W) of an image, where it takes images.
        tokenizer: Where it takes texts.
        class_names: By class index; None where its own configuration says them, if anything does.
    """

    model: nn.Module = field(repr=False)
    transform: Callable[[Image], Tensor] | None = None
    tokenizer: Any = None
    class_names: Sequence[str] | None = None


def load_model(name: str) -> LoadedModel:
    """Load a network by the name that `--model` takes: a folder, a hub name, or an image network.

    Raises:
        ConfigError: There is none of that name.
        CheckpointError: Its weights, its tokenizer, or how its images are prepared, are not there.

    >>> load_model("efficientnet_lite0").transform is not None
    True
    """
    of_transformers = Path(name).is_dir() or name.rpartition("/")[0] not in ("", *SOURCES)
    cfg = {"source": "transformers", "type": name, "pretrained": True}
    if of_transformers and task_of(name) not in OF_IMAGES:
        return LoadedModel(build_classifier(cfg), tokenizer=load_tokenizer(name))
    named = named_model(name)
    cfg |= {"source": named.source, "type": named.type}
    names = imagenet_classes().names
    known = names if named.num_classes == len(names) else None
    return LoadedModel(build_classifier(cfg), transform_of(named), class_names=known)
