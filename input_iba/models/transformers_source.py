"""Networks of the package `transformers`, by what their folders say that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors import safe_open
from torch import nn

from input_iba.errors import CheckpointError, ConfigError, closest
from input_iba.models.checkpoints import classes_of_head, load_checkpoint
from input_iba.models.hub import REMOTE_CODE, from_place, transformers_package


def build_transformers(
    type_: str, pretrained: bool | str, num_classes: int | None, arguments: Mapping[str, Any]
) -> nn.Module:
    """Build what a configuration says: images (B, C, H, W), or token ids (B, T) and a mask go in.

    See `build_classifier`. `type_` is a local folder or a name on the hub; `arguments` are keys of
    the network's configuration; `task`, one of `TASKS`, for a folder that does not say what its
    network is for; and `dtype`, which without it is float32, whatever is stored.
    """
    auto = transformers_package()
    kind = weights_type(arguments)
    arguments = {key: value for key, value in arguments.items() if key not in DTYPE}
    task = arguments.pop("task", None) or task_of(type_)
    if task == EMBEDDING and num_classes is not None:
        task = CLASSES  # a head is to be trained
    if task not in TASKS:
        raise ConfigError(
            f"Unknown task {task!r}.{closest(str(task), TASKS)} Known: {', '.join(TASKS)}."
        )
    labels: dict[str, Any] = {} if num_classes is None else {"num_labels": num_classes}
    if pretrained is True:
        return _trained(task, type_, {**labels, **arguments}, kind)
    if "auto" in kind.values():  # of no weights
        kind = {}
    config = from_place(type_, auto.AutoConfig.from_pretrained, **labels, **arguments)
    kind["trust_remote_code"] = REMOTE_CODE.get()
    model: Any = getattr(auto, TASKS[task]).from_config(config, **kind)
    model.name_or_path = type_  # where its tokenizer is
    if pretrained:
        load_checkpoint(model, pretrained)
    found: nn.Module = model
    return found


CLASSES, EMBEDDING = "text-classification", "feature-extraction"

TASKS = {
    CLASSES: "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "text-generation": "AutoModelForCausalLM",
    "image-classification": "AutoModelForImageClassification",
    "image-segmentation": "AutoModelForSemanticSegmentation",
    "object-detection": "AutoModelForObjectDetection",
    EMBEDDING: "AutoModel",
}
"""From what a network is for, as the hub calls it, to the class that loads it."""

ENDINGS = {
    "ForSequenceClassification": CLASSES,
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForImageClassification": "image-classification",
    "ForImageClassificationWithTeacher": "image-classification",
    "ForSemanticSegmentation": "image-segmentation",
    "ForObjectDetection": "object-detection",
    "Model": EMBEDDING,
}
"""What the name of a network's class ends in, by what it is for."""

OF_IMAGES = frozenset({"image-classification", "image-segmentation", "object-detection"})
"""Tasks whose inputs are images."""


def task_of(place: str) -> str:
    """Return what the network in a folder, or of a name on the hub, is for: one of `TASKS`.

    A network of texts that is for none of them is taken for what a classifier is to be made of.

    Raises:
        CheckpointError: There is no configuration.
        ConfigError: It is for none of them, and not of texts.
    """
    package = transformers_package()
    config = from_place(place, package.AutoConfig.from_pretrained)
    name = next(iter(config.architectures or []), "")
    endings = sorted(ENDINGS, key=len, reverse=True)
    found = next((ENDINGS[ending] for ending in endings if name.endswith(ending)), CLASSES)
    brings = TASKS[CLASSES] in (getattr(config, "auto_map", None) or {})  # code of its own
    known = type(config) in package.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING or brings
    if found == CLASSES and not known:
        raise ConfigError(
            f"{place!r} holds a network {name or config.model_type!r}, which is for none of the "
            f"tasks that are explained: {', '.join(TASKS)}. Give a folder of a network that was "
            "trained for one of them, or say in a config what its weights are for: task=…."
        )
    return found


def _trained(
    task: str, type_: str, arguments: Mapping[str, Any], kind: Mapping[str, Any]
) -> nn.Module:
    load = getattr(transformers_package(), TASKS[task]).from_pretrained
    how: dict[str, Any] = {"output_loading_info": True, "ignore_mismatched_sizes": True}
    model: nn.Module
    model, info = from_place(type_, load, **how, **arguments, **kind)
    _refuse_other_shapes(type_, _mismatched(type_, model, info), arguments)
    missing = sorted(info["missing_keys"])
    if missing:
        raise CheckpointError(
            f"{type_!r} holds no network trained for {task}: {', '.join(missing[:3])} would be "
            "random. Train it first, and give the folder that it was saved to."
        )
    return model


def _mismatched(
    type_: str, model: nn.Module, info: Mapping[str, Any]
) -> list[tuple[str, Sequence[int], Sequence[int]]]:
    """Return name, shape there and shape expected of every weight of another shape.

    The last of `transformers` 4 only name them; the shapes there are in the file.
    """
    found = sorted(info["mismatched_keys"])
    if not found or not isinstance(found[0], str):
        return found
    package = transformers_package()
    file = from_place(type_, package.utils.cached_file, filename="model.safetensors")
    with safe_open(file, "pt") as stored:
        shapes = [stored.get_slice(name).get_shape() for name in found]
    here = [model.get_parameter(name).shape for name in found]
    return list(zip(found, shapes, here, strict=True))


def _refuse_other_shapes(
    type_: str,
    mismatched: Sequence[tuple[str, Sequence[int], Sequence[int]]],
    arguments: Mapping[str, Any],
) -> None:
    """Refuse weights of another shape, which would be random: name, shape there, shape expected."""
    if not mismatched:
        return
    name, there, here = max(mismatched, key=lambda item: len(item[1]))  # a weight, not its bias
    shapes = f"{name!r} is {tuple(there)} there, and its configuration expects {tuple(here)}"
    classes = classes_of_head([(there, here) for _, there, here in mismatched])
    if classes is None:
        given = f"Remove or correct {dict(arguments)}" if arguments else "Correct its config.json"
        raise CheckpointError(f"The weights in {type_!r} do not fit: {shapes}. {given}.")
    asked = arguments.get("num_labels")
    error = CheckpointError if asked is None else ConfigError
    raise error(
        f"The classifier in {type_!r} tells {classes} classes apart: {shapes}"
        f"{'' if asked is None else f' with num_classes={asked}'}. Set num_classes={classes}."
    )


DTYPE = ("dtype", "torch_dtype")
"""The keys for the type of weights, since `transformers` 4.56 and before."""


def weights_type(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type of weights that is asked for, or float32, by the key that is known here.

    `transformers` 5 keeps the type that weights were stored in, often one of half precision, in
    which masks cannot be learned.

    >>> list(weights_type({"torch_dtype": "bfloat16"}).values())
    [torch.bfloat16]
    """
    version = tuple(int(part) for part in transformers_package().__version__.split(".")[:2])
    asked = next((arguments[key] for key in DTYPE if key in arguments), torch.float32)
    found = getattr(torch, asked, asked) if isinstance(asked, str) else asked
    return {DTYPE[version < (4, 56)]: found}
