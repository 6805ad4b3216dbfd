"""What `attribute` is given in place of a config: images, texts, or an image with a text."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.options import from_arguments
from input_iba.commands.explain.options import GivenOptions, ImageOptions, TextOptions
from input_iba.errors import ConfigError
from input_iba.settings import declarations

if TYPE_CHECKING:
    from input_iba.commands.explain.given import Given

MARKS = ("manifest.json", "image/manifest.json")
"""Files that are in the work directory of a run, and of the two runs of an image and a text."""

TEXTS, MATCH = "text_model", "1"
"""Part of the names of layers that read texts, and the class of a match."""


def given_by(arguments: argparse.Namespace) -> Mapping[str, Given]:
    """Return what is to be explained, by the name of its folder in the work directory.

    It is one, in the work directory itself, or both sides of an image and a text together.

    Raises:
        ConfigError: An option is given that means nothing beside the others.
    """
    if arguments.files and arguments.texts:
        return _pair(arguments)
    other, way = (TextOptions, "--text") if arguments.files else (ImageOptions, "--image")
    if asked := _asked(arguments, other, declarations(GivenOptions)):
        raise ConfigError(f"{', '.join(asked)} can be given with {way} only; leave it out.")
    if arguments.files:
        return {"": _images(arguments)}
    from input_iba.commands.explain.texts import GivenTexts

    return {"": from_arguments(GivenTexts, arguments)}


def _images(arguments: argparse.Namespace) -> Given:
    """Return images for a classifier, or for a dual encoder in a folder or on the hub."""
    from input_iba.commands.explain.images import GivenImages
    from input_iba.commands.explain.pairs import ZeroShotImages
    from input_iba.models.dual_source import is_dual_encoder
    from input_iba.models.named import SOURCES

    name, texts = arguments.model or "", arguments.classes
    listed = texts is not None and texts.suffix.lower() != ".json"
    on_hub = listed and "/" in name and name.rpartition("/")[0] not in SOURCES
    dual = (on_hub or (Path(name) / "config.json").is_file()) and is_dual_encoder(name)
    return from_arguments(ZeroShotImages if dual else GivenImages, arguments)


def _pair(arguments: argparse.Namespace) -> Mapping[str, Given]:
    """Return an image and a text, each explained with the other as it is."""
    from input_iba.commands.explain.pairs import PairImage, PairText

    counts = len(arguments.files), len(arguments.texts)
    if counts != (1, 1):
        raise ConfigError(
            f"--image and --text together are one image and one text; got {counts[0]} and "
            f"{counts[1]}. Explain pairs one by one; put a text of several words in quotes."
        )
    if arguments.model is None:
        raise ConfigError(
            "--image and --text together need --model: a folder with a dual encoder of "
            "`transformers`, such as CLIP or SigLIP, its tokenizer and its image processor, or a "
            "name on the hub. For an image alone leave out --text."
        )
    without = {"files", "model", "instead_of", "layer", "whole"}
    answers = _asked(arguments, TextOptions, {"texts", *declarations(GivenOptions)})
    if asked := _asked(arguments, ImageOptions, without) + answers:
        raise ConfigError(
            f"{', '.join(asked)} cannot be given with --image and --text together, which ask "
            "whether they match; leave it out."
        )
    layer = arguments.layer or ""
    kinds: Mapping[str, type[Given]] = {"image": PairImage, "text": PairText}
    own = {side: layer if (side == "text") == (TEXTS in layer) else "" for side in kinds}
    return {
        side: from_arguments(kind, arguments, targets=(MATCH,), layer=own[side] or None)
        for side, kind in kinds.items()
    }


def refuse_both(arguments: argparse.Namespace) -> None:
    """Refuse a config beside what is given in its place."""
    if arguments.config:
        ways = [
            flag
            for flag, given in (("--image", arguments.files), ("--text", arguments.texts))
            if given
        ]
        raise ConfigError(
            f"Both a config ('{arguments.config}') and {' and '.join(ways)} are given: leave one "
            "of them out."
        )


def check_config(arguments: argparse.Namespace) -> None:
    """Refuse what means nothing without --image or --text."""
    from input_iba.datasets.images import SUFFIXES

    if arguments.config is None:
        raise ConfigError(
            "Nothing to explain: give --image with images, --text with texts, or a CONFIG such as "
            "samples; `input-iba configs` lists them."
        )
    if arguments.config.suffix.lower() in SUFFIXES:
        raise ConfigError(
            f"'{arguments.config}' is not a config. To explain an image: --image {arguments.config}"
        )
    asked = _asked(arguments, ImageOptions)
    if asked := asked + _asked(arguments, TextOptions, declarations(GivenOptions)):
        raise ConfigError(
            f"{', '.join(asked)} can be given with --image or --text only. A config says it "
            "itself, or --cfg-options attributor.layer=... in its place."
        )


def _asked(arguments: argparse.Namespace, kind: type, without: Collection[str] = ()) -> list[str]:
    """Return which of the options of a kind of input are given, `without` those of some names."""
    return [
        declared.flags[0]
        for name, declared in declarations(kind).items()
        if getattr(arguments, name) and name not in without
    ]


def free_folder(path: Path, fixed: bool) -> Path:
    """Return a work directory that holds no run, so that a command can be repeated at once."""
    found, number = path, 1
    while not fixed and any((found / mark).is_file() for mark in MARKS):
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found
