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
        "class (beside --image and --text: not this text): what speaks for both drops out",
        metavar="CLASS",
    )
    layer: str | None = setting(
        None, "layer of the feature bottleneck (default: one that suits the model)"
    )
    model: str | None = setting(
        None,
        "ImageNet classifier: efficientnet_lite0, or one of torchvision's or timm's, whose weights "
        "are downloaded once (default: efficientnet_lite0, which needs no network); or a folder, "
        "or a name on the hub, of a network of transformers: of images; of texts, with "
        "--continuation or --generate a causal language model; or of an image and a text together "
        "a dual encoder, such as CLIP or SigLIP",
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
        None,
        "checkpoint of the model, also of one whose last layer has classes of your own; or the "
        "name of weights of torchvision's",
        metavar="FILE",
    )
    classes: Path | None = setting(
        None,
        "classes of a checkpoint of your own, or of a dual encoder (CLIP, SigLIP): a text file "
        "(.txt) with one class a line; of a checkpoint also JSON like "
        "resources/imagenet_class_index.json",
        metavar="FILE",
    )


@dataclass(frozen=True, kw_only=True)
class TextOptions(GivenOptions):
    """Texts."""

    texts: tuple[str, ...] = setting(
        (),
        "texts to explain, each in quotes, in place of a config; --model says by what. One text "
        "beside one --image: which pixels and which words make them match",
        flag="--text",
        metavar="TEXT",
    )
    continuation: str | None = setting(
        None,
        "explain why a causal language model goes on with this answer to each text; between two "
        "words a space is put",
        metavar="TEXT",
    )
    generate: int | None = setting(
        None,
        "explain the model's own answer to each text, of so many tokens at most",
        at_least=1,
        metavar="N",
    )
    each_token: bool = setting(
        False, "with --continuation or --generate: one map more for every token of the answer"
    )
