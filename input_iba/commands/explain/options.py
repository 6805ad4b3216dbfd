"""Inputs that are given on the command line in place of a config, and what explains them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.settings import Settings, setting


@dataclass(frozen=True, kw_only=True)
class GivenOptions(Settings):
    """What images and texts have in common."""

    PLACE = "--"

    targets: tuple[str, ...] = setting(
        (),
        "explain for this class: a name such as tabby, an index, or a WordNet id; several are "
        "explained one by one (default: the class that the classifier predicts)",
        flag="--target",
        metavar="CLASS",
    )
    instead_of: str | None = setting(
        None,
        "explain why it is the class of --target, or else the likeliest other one, and not this "
        "class: what speaks for both drops out",
        metavar="CLASS",
    )
    layer: str | None = setting(
        None, "layer of the feature bottleneck (default: one that suits the model)"
    )
    model: str | None = setting(
        None,
        "ImageNet classifier: efficientnet_lite0, or one of torchvision's or timm's, whose weights "
        "are downloaded once (default: efficientnet_lite0, which needs no network); or a folder, "
        "or a name on the hub, of a network of transformers, for images or texts",
        metavar="NAME",
    )


@dataclass(frozen=True, kw_only=True)
class ImageOptions(GivenOptions):
    """Images and what only they have."""

    files: tuple[Path, ...] = setting(
        (), "images to explain, of any format and size, in place of a config", flag="--image"
    )
    whole: bool = setting(
        False, "let the network see all of the image instead of the square in its middle"
    )
    weights: str | None = setting(
        None, "checkpoint of the model, or the name of weights of torchvision's", metavar="FILE"
    )
    classes: Path | None = setting(
        None, "classes of a checkpoint of your own: JSON like resources/imagenet_class_index.json"
    )


@dataclass(frozen=True, kw_only=True)
class TextOptions(GivenOptions):
    """Texts."""

    texts: tuple[str, ...] = setting(
        (),
        "texts to explain, each in quotes, in place of a config; --model says by what",
        flag="--text",
        metavar="TEXT",
    )
