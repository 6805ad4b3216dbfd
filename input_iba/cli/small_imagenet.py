"""The command `input-iba small-imagenet`."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.run import print_text
from input_iba.config.shipped import shipped

DESCRIPTION = (
    "Copy a random estimation set and a disjoint attribution set out of an ImageNet-like folder, "
    "with annotations and class index, in the layout that the configs read."
)


def set_up_small_imagenet(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description = DESCRIPTION
    parser.add_argument("source", metavar="SRC", type=Path, help="folder with <wnid>/<name>.JPEG")
    parser.add_argument("destination", metavar="DST", type=Path, help="folder to make")
    parser.add_argument(
        "--n", type=int, default=10, metavar="N", help="estimation pictures per class (default: 10)"
    )
    parser.add_argument(
        "--n-attribution",
        type=int,
        default=1,
        metavar="N",
        help="attribution pictures per class (default: 1)",
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="DIR",
        help="folder with <wnid>/<name>.xml (default: annotations/ in SRC or beside it)",
    )
    parser.add_argument(
        "--index-file",
        type=Path,
        default=shipped("resources") / "imagenet_class_index.json",
        metavar="FILE",
        help="class index to take along (default: ImageNet's)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.set_defaults(command=_generate)


def _generate(arguments: argparse.Namespace) -> int:
    from input_iba.datasets.small_imagenet import generate_small_imagenet

    given = {key: value for key, value in vars(arguments).items() if key != "command"}
    made = generate_small_imagenet(**given)
    print_text(
        f"{arguments.destination}: {made.classes} classes, {made.estimation} pictures for "
        f"estimation, {made.attribution} for attribution, {made.annotations} annotations"
    )
    if made.annotations < made.attribution:
        print_text(
            "Not every picture has boxes: set data.attribution.with_bbox=False in the config."
        )
    return 0
