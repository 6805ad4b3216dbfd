"""From a classifier's config to a network that is ready to be explained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torchvision
from torch import nn

from input_iba.errors import CheckpointError, ConfigError, closest, import_extra
from input_iba.models.checkpoints import (
    classes_of_head,
    load_checkpoint,
    only_weights,
    read_state_dict,
)
from input_iba.models.dual_source import ASKS, build_dual_encoder, is_dual_encoder
from input_iba.models.efficientnet_lite import build_efficientnet_lite
from input_iba.models.hub import TRUST_KEY
from input_iba.models.transformers_source import build_transformers
from input_iba.registry import CLASSIFIERS, REFUSALS, build

Pretrained = bool | str
Arguments = Mapping[str, Any]


def build_classifier(cfg: Mapping[str, Any]) -> nn.Module:
    """Build a classifier in evaluation mode, on the CPU, and load its weights.

    Args:
        cfg: Plain data: `source` ('torchvision', 'timm', 'transformers', 'efficientnet_lite', or
            'custom', which published configs for text call 'nlp'), `type`, `pretrained` (False,
            True, the name of torchvision weights, or the path of a checkpoint), `num_classes`, and
            further arguments of the network's constructor.

    Raises:
        ConfigError: An unknown source, type or key, or `pretrained` and `num_classes` disagree.
        CheckpointError: Weights cannot be had, or do not fit.
        MissingExtraError: The source needs a package that is not installed.

    >>> model = build_classifier(dict(source="custom", type="ResNet", depth=8, num_classes=10))
    >>> type(model).__name__, model.training
    ('CifarResNet', False)
    """
    arguments = dict(cfg)
    source = arguments.pop("source", "torchvision")
    type_ = arguments.pop("type", None)
    pretrained = arguments.pop("pretrained", None) or False
    num_classes = arguments.pop("num_classes", None)
    if not isinstance(source, str) or source not in SOURCES:
        raise ConfigError(
            f"Unknown classifier source {source!r}.{closest(str(source), SOURCES)} "
            f"Known: {', '.join(sorted(SOURCES))}."
        )
    if not isinstance(type_, str):
        raise ConfigError(
            f"A classifier config needs the key 'type', a name such as 'vgg16'; got {type_!r}."
        )
    if not isinstance(pretrained, bool | str):
        raise ConfigError(
            "A classifier's `pretrained` is True, False, a weights name or the path of a "
            f"checkpoint; got {pretrained!r}."
        )
    if not (num_classes is None or (isinstance(num_classes, int) and num_classes > 0)):
        raise ConfigError(f"`num_classes` is a positive integer; got {num_classes!r}.")
    return SOURCES[source](type_, pretrained, num_classes, arguments).eval()


def classes_of_checkpoint(cfg: Mapping[str, Any], path: str) -> int | None:
    """Return how many classes a checkpoint tells apart that has a last layer of its own.

    Args:
        cfg: Of its network, as `build_classifier` takes it, without `num_classes`.
        path: Of the checkpoint.

    Returns:
        None where there is no such file, and where its shapes are those of the network, or differ
        in more than the last layer.

    Raises:
        CheckpointError: The file is no checkpoint.
        ConfigError: There is no such network.
    """
    if not Path(path).is_file():
        return None
    there = {name: value.shape for name, value in read_state_dict(path).items()}
    here = build_classifier({**cfg, "pretrained": False}).state_dict()
    pairs = [(there[name], value.shape) for name, value in here.items() if name in there]
    return classes_of_head([(one, other) for one, other in pairs if one != other])


def _build_custom(
    type_: str, pretrained: Pretrained, num_classes: int | None, arguments: Arguments
) -> nn.Module:
    if pretrained is True:
        raise ConfigError(
            f"No weights come with {type_!r}: set `pretrained` to the path of a checkpoint "
            "(`input-iba train vision` and `input-iba train nlp` train some), or to False."
        )
    cfg = {"type": type_, **arguments}
    if num_classes is not None:
        cfg["num_classes"] = num_classes
    model: nn.Module = build(CLASSIFIERS, cfg)
    if pretrained:
        load_checkpoint(model, pretrained)
    return model


def _build_torchvision(
    type_: str, pretrained: Pretrained, num_classes: int | None, arguments: Arguments
) -> nn.Module:
    known = torchvision.models.list_models(module=torchvision.models)
    if type_ not in known:
        raise ConfigError(
            f"Unknown torchvision classifier {type_!r}.{closest(type_, known)} "
            "`torchvision.models.list_models()` lists all."
        )
    weights = torchvision_weights(type_, pretrained)
    create = torchvision.models.get_model
    if weights is None:
        return _of_checkpoint(create, type_, pretrained, num_classes, arguments)
    _check_classes(type_, str(pretrained), len(weights.meta["categories"]), num_classes)
    return _download(create, type_, {**arguments, "weights": weights})


def torchvision_weights(type_: str, pretrained: Pretrained) -> Any:
    """Return the weights entry that `pretrained` names, or None where it names none.

    True means the first version of the ImageNet weights, as in torchvision up to 0.12, so that
    old configs explain the network they always explained.
    """
    members = torchvision.models.get_model_weights(type_).__members__
    if pretrained is True:
        if not members:
            raise ConfigError(
                f"torchvision has no weights for {type_!r}: set `pretrained` to the path of a "
                "checkpoint, or to False."
            )
        return members.get("IMAGENET1K_V1") or next(iter(members.values()))
    name = str(pretrained).rpartition(".")[2]
    if pretrained and name in members:
        return members[name]
    if isinstance(pretrained, str) and pretrained.isupper() and "." not in pretrained:
        raise ConfigError(
            f"torchvision has no weights {pretrained!r} for {type_!r}."
            f"{closest(pretrained, members)} Known: {', '.join(members) or 'none'}."
        )
    return None


def _build_timm(
    type_: str, pretrained: Pretrained, num_classes: int | None, arguments: Arguments
) -> nn.Module:
    timm = import_extra("timm", "timm", "models")
    known = timm.list_models() + timm.list_models(pretrained=True)
    if type_ not in known:
        raise ConfigError(
            f"Unknown timm classifier {type_!r}.{closest(type_, known)} `timm.list_models()` "
            "lists all."
        )
    if pretrained is True:
        published = timm.get_pretrained_cfg(type_)
        _check_classes(type_, "True", published.num_classes if published else 0, num_classes)
        return _download(timm.create_model, type_, {**arguments, "pretrained": True})
    return _of_checkpoint(timm.create_model, type_, pretrained, num_classes, arguments)


def _of_checkpoint(
    create: Any, type_: str, pretrained: Pretrained, num_classes: int | None, arguments: Arguments
) -> nn.Module:
    """Build a network with the weights of a checkpoint, or with random ones."""
    classes = {} if num_classes is None else {"num_classes": num_classes}
    model = _construct(create, type_, {**arguments, **classes}, REFUSALS)
    if isinstance(pretrained, str):
        load_checkpoint(model, pretrained)
    return model


def _check_classes(type_: str, pretrained: str, has: int, wanted: int | None) -> None:
    """Refuse published weights whose last layer would have to be replaced by a random one."""
    if wanted is not None and wanted != has:
        raise ConfigError(
            f"The weights pretrained={pretrained} of {type_!r} tell {has} classes apart, but "
            f"num_classes={wanted}. Set `pretrained` to a checkpoint trained on your {wanted} "
            "classes, or leave out `num_classes`."
        )


def _construct(
    create: Any,
    type_: str,
    arguments: Arguments,
    refusals: tuple[type[Exception], ...] = (TypeError, ValueError),
) -> nn.Module:
    try:
        model: nn.Module = create(type_, **arguments)
    except refusals as error:
        raise ConfigError(
            f"Classifier {type_!r} does not take {dict(arguments)}: {error}. Mend or remove the "
            "keys beside source, type, pretrained and num_classes."
        ) from error
    return model


def _download(create: Any, type_: str, arguments: Arguments) -> nn.Module:
    try:
        with only_weights():
            return _construct(create, type_, arguments)
    except ConfigError:
        raise
    except Exception as error:  # every library between here and the network has its own
        raise CheckpointError(
            f"The published weights of {type_!r} could not be loaded "
            f"({type(error).__name__}: {error}). They are downloaded once: check the connection, "
            "or fetch a checkpoint elsewhere and give its path in `pretrained`."
        ) from error


def _build_transformers(
    type_: str, pretrained: Pretrained, num_classes: int | None, arguments: Arguments
) -> nn.Module:
    if TRUST_KEY in arguments:
        raise ConfigError(
            f"'{TRUST_KEY}' is not for a config to say, since it lets others' code run: remove it, "
            "and give the option --trust-remote-code where you trust the network's authors."
        )
    if any(key in arguments for key in ASKS) or is_dual_encoder(type_):
        return build_dual_encoder(type_, pretrained, arguments)
    return build_transformers(type_, pretrained, num_classes, arguments)


SOURCES = {
    "torchvision": _build_torchvision,
    "timm": _build_timm,
    "custom": _build_custom,
    "nlp": _build_custom,  # as published configs for text call it
    "efficientnet_lite": build_efficientnet_lite,
    "transformers": _build_transformers,
}
"""Builders by the `source` of a classifier config."""
