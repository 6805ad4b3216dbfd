"""Arguments of the metrics, and of which samples they are measured on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.arguments import whole

if TYPE_CHECKING:
    from input_iba.evaluation.metrics import Metric


def add_selection(parser: argparse.ArgumentParser, threshold: float, missing: str) -> None:
    """Add which samples count.

    Args:
        parser: The command's.
        threshold: Default of `--scores-threshold`.
        missing: What `--allow-missing` means.
    """
    parser.add_argument(
        "--num-samples",
        type=whole,
        default=0,
        metavar="N",
        help="score N samples drawn at random; 0 for all (default: 0)",
    )
    parser.add_argument(
        "--scores-threshold",
        type=float,
        default=threshold,
        metavar="P",
        help=f"leave out samples whose target is less probable (default: {threshold})",
    )
    parser.add_argument("--allow-missing", action="store_true", help=missing)
    parser.add_argument(
        "--resume", action="store_true", help="keep the samples that are scored already"
    )


def metric_of(name: str, arguments: argparse.Namespace) -> Metric:
    """Return a metric with the settings that were given.

    Raises:
        EvaluationError: A setting is out of its range.
    """
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.evaluation.metrics import METRICS

    kind = METRICS[name]
    given = {item.name: getattr(arguments, item.name) for item in fields(kind)}
    return kind(**{key: value for key, value in given.items() if value is not None})


def _ehr(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--weight", action="store_true", help="let points count by their heat")
    group.add_argument(
        "--roi",
        choices=("bboxes", "masks"),
        default="bboxes",
        help="regions: the data set's boxes, or masks in --masks-dir (default: bboxes)",
    )
    group.add_argument(
        "--masks-dir", type=Path, metavar="DIR", help="masks named as maps are, non-zero inside"
    )
    group.add_argument(
        "--base-threshold",
        type=float,
        default=0.1,
        metavar="X",
        help="smallest heat that counts (default: 0.1)",
    )


def _sigma(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sigma",
        type=float,
        default=5.0,
        metavar="X",
        help="blur of pixels not yet inserted, in pixels; no effect on words (default: 5.0)",
    )


def _blur_radius(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--blur-radius",
        type=int,
        metavar="N",
        help="pixels that the blur reaches to each side (default: 2 sigma, rounded; the published "
        "code's: sigma - 1)",
    )


def _pixel_batch_size(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--pixel-batch-size",
        type=int,
        metavar="N",
        help="pixels or words changed per step (default: 10 pixels, 2 words)",
    )


def _max_fraction(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max-fraction",
        type=float,
        default=1.0,
        metavar="X",
        help="share of the words that are changed at the most (default: 1.0; published: 0.4)",
    )


def _sensitivity_n(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--log-n-max",
        type=float,
        default=4.5,
        metavar="X",
        help="largest log10 of N, which stays below the number of pixels or words (default: 4.5)",
    )
    group.add_argument(
        "--log-n-ticks",
        type=float,
        default=0.1,
        metavar="X",
        help="distance of two log10 of N (default: 0.1)",
    )
    group.add_argument(
        "--num-masks", type=int, default=100, metavar="M", help="sets of each N (default: 100)"
    )


def _sanity_check(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--save-heatmaps",
        action="store_true",
        help="write the maps of every step beside the result",
    )
    group.add_argument(
        "--method",
        choices=("config", "edge"),
        default="config",
        help="what explains at every step: the attributor of the config, or an edge detector, "
        "which ignores the weights and so must fail; HEATMAP_DIR then only chooses the samples "
        "(default: config)",
    )
    group.add_argument(
        "--layers",
        nargs="+",
        metavar="LAYER",
        help="layers to re-initialise, the top one first (default: sanity_check.perturb_layers of "
        "the config, or all)",
    )
    group.add_argument(
        "--n-estimation",
        type=int,
        metavar="N",
        help="samples from which the layer's statistics are estimated at every step (default: "
        "sanity_check.n_estimation of the config, or 100)",
    )
    group.add_argument(
        "--ssim-threshold",
        type=float,
        default=0.5,
        metavar="X",
        help="mean similarity after the last layer below which the check is passed (default: 0.5)",
    )


def _degradation(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--tile-size", type=int, default=8, metavar="N", help="pixels per side (default: 8)"
    )


def _localisation(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--tolerance",
        type=float,
        default=15,
        metavar="X",
        help="pixels by which the hottest pixel may miss (default: 15)",
    )
    group.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        metavar="X",
        help="share of the maximum from which a pixel is hot (default: 0.5)",
    )


Adder = Callable[[argparse._ArgumentGroup], None]

COMMANDS: Mapping[str, tuple[str, tuple[Adder, ...]]] = {
    "ehr": ("Measure how much of the heat lies in the boxes of objects.", (_ehr,)),
    "insertion_deletion": (
        "Measure how fast the target appears and disappears with the hottest pixels.",
        (_sigma, _blur_radius, _pixel_batch_size),
    ),
    "sensitivity_n": (
        "Correlate summed attribution with what removing random pixels costs.",
        (_sensitivity_n,),
    ),
    "nlp_insertion_deletion": (
        "Measure how fast the target appears and disappears with the hottest words of a text.",
        (_sigma, _pixel_batch_size, _max_fraction),
    ),
    "nlp_sensitivity_n": (
        "Correlate summed attribution with what removing random words costs.",
        (_sensitivity_n,),
    ),
    "sanity_check": (
        "Re-initialise the classifier from the top down, and compare maps.",
        (_sanity_check,),
    ),
    "target_scores": ("Write the probability of each sample's explained class.", ()),
    "degradation": ("Remove tiles, most and least relevant first.", (_degradation,)),
    "localisation": (
        "Play the pointing game; measure mass in the region and overlap.",
        (_localisation,),
    ),
}
"""What each command does, and what adds its own arguments; metrics may share some."""


def add_settings(parser: argparse.ArgumentParser, metrics: Iterable[str]) -> None:
    """Add the arguments of some metrics, those that they share once."""
    users: dict[Adder, list[str]] = {}
    for name in metrics:
        for add in COMMANDS[name][1]:
            users.setdefault(add, []).append(name)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for add, names in users.items():
        title = f"of {' and '.join(names)}"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        add(groups[title])
