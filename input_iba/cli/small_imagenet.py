"""The command `input-iba small-imagenet`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.config.shipped import shipped
from input_iba.settings import REQUIRED, Settings, setting

DESCRIPTION = (
    "Copy a random estimation set and a disjoint attribution set out of an ImageNet-like folder, "
    "with annotations and class index, in the layout that the configs read."
)


@dataclass(frozen=True, kw_only=True)
class SmallImageNetOptions(Settings):
    """Arguments of `generate_small_imagenet`."""

    PLACE = "--"

    source: Path = setting(REQUIRED, "folder with <wnid>/<name>.JPEG", flag="SRC")
    destination: Path = setting(REQUIRED, "folder to make", flag="DST")
    n: int = setting(10, "estimation pictures per class")
    n_attribution: int = setting(1, "attribution pictures per class")
    annotations: Path | None = setting(
        None,
        "folder with <wnid>/<name>.xml (default: annotations/ in SRC or beside it)",
        metavar="DIR",
    )
    index_file: Path = setting(
        shipped("resources") / "imagenet_class_index.json", "class index to take along"
    )
    seed: int = setting(0, "of the choice")


def set_up_small_imagenet(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description = DESCRIPTION
    add_options(parser, SmallImageNetOptions)
    parser.set_defaults(command=_generate)


def _generate(arguments: argparse.Namespace) -> int:
    from input_iba.datasets.small_imagenet import generate_small_imagenet

    options = from_arguments(SmallImageNetOptions, arguments)
    classes, annotations = generate_small_imagenet(**vars(options))
    print_text(
        f"{options.destination}: {classes} classes, {classes * options.n} pictures for estimation, "
        f"{classes * options.n_attribution} for attribution, {annotations} annotations"
    )
    if annotations < classes * options.n_attribution:
        print_text(
            "Not every picture has boxes: set data.attribution.with_bbox=False in the config."
        )
    return 0
