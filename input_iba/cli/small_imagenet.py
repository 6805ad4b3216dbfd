"""The command that chooses a small ImageNet."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from input_iba.cli.main import run_command

RESOURCE = Path("resources/imagenet_class_index.json")


def main(argv: Sequence[str] | None = None) -> int:
    """Make an estimation set and an attribution set; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Copy a random estimation set and a disjoint attribution set out of an "
        "ImageNet-like folder, with annotations and class index, in the layout that the configs "
        "read."
    )
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
        default=RESOURCE,
        metavar="FILE",
        help=f"class index to take along (default: {RESOURCE})",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.set_defaults(command=_generate)
    return run_command(parser, argv)


def _generate(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.datasets.small_imagenet import generate_small_imagenet

    made = generate_small_imagenet(
        arguments.source,
        arguments.destination,
        arguments.index_file,
        n=arguments.n,
        n_attribution=arguments.n_attribution,
        annotations=arguments.annotations,
        seed=arguments.seed,
    )
    print(
        f"{arguments.destination}: {made.classes} classes, {made.estimation} pictures for "
        f"estimation, {made.attribution} for attribution, {made.annotations} annotations"
    )
    if made.annotations < made.attribution:
        print("Not every picture has boxes: set data.attribution.with_bbox=False in the config.")
    return 0
