"""The evaluation commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from input_iba.cli.arguments import add_config, add_device, add_pbar, add_seed
from input_iba.cli.main import FAILED, print_text, run_command

STATUS_HELP = (
    "exit status: 0 every selected sample scored or left out by a rule of the metric, 1 some "
    "sample failed or could not be read, 2 the config, an option or a map is missing or wrong, "
    "130 interrupted"
)

RESULT_HELP = (
    " Rows, summary (mean, deviation, 95 % interval, n), what was left out and why go to "
    "WORK_DIR/FILE_NAME, a curve to the PNG beside it."
)


def main(name: str, argv: Sequence[str] | None = None) -> int:
    """Run one evaluation command.

    Args:
        name: A key of `COMMANDS`.
        argv: Arguments after the command's name; None for those of the process.

    Returns:
        The exit status.
    """
    description, add = COMMANDS[name]
    parser = argparse.ArgumentParser(description=description + RESULT_HELP, epilog=STATUS_HELP)
    add_config(parser)
    maps = name != "target_scores"
    parser.add_argument(
        "heatmap_dir",
        nargs=None if maps else "?",
        metavar="HEATMAP_DIR",
        type=Path,
        help="folder of maps named by sample: npz (key mask), npy, or png; or a work directory, "
        "for its input masks" + ("" if maps else ". Given, only samples with a map count"),
    )
    parser.add_argument("work_dir", metavar="WORK_DIR", type=Path, help="folder of the result")
    parser.add_argument("file_name", metavar="FILE_NAME", help="name of the JSON file in it")
    add(parser.add_argument_group("of this metric"))
    _add_samples(parser, maps)
    # Scores are differences of probabilities and logits, which rounding to bf16 would swallow.
    add_device(parser, precision="fp32")
    add_seed(parser)
    add_pbar(parser)
    parser.set_defaults(command=lambda arguments: _evaluate(name, arguments))
    return run_command(parser, argv)


def _add_samples(parser: argparse.ArgumentParser, maps: bool) -> None:
    """Add which samples count."""
    threshold = 0.6 if maps else 0.0
    parser.add_argument(
        "--num-samples",
        type=_whole,
        default=0,
        metavar="N",
        help="score N samples drawn at random; 0 for all (default: 0)",
    )
    if maps:
        parser.add_argument(
            "--scores-file",
            type=Path,
            metavar="FILE",
            help="target probabilities from get_target_scores.py (default: ask the classifier)",
        )
    parser.add_argument(
        "--scores-threshold",
        type=float,
        default=threshold,
        metavar="P",
        help=f"leave out samples whose target is less probable (default: {threshold})",
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="leave out samples without a map; without this they are an error",
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep the samples that are scored already"
    )


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


def _insertion_deletion(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sigma",
        type=float,
        default=5.0,
        metavar="X",
        help="blur of pixels not yet inserted, in pixels (default: 5.0)",
    )
    group.add_argument(
        "--pixel-batch-size",
        type=int,
        default=10,
        metavar="N",
        help="pixels changed per step (default: 10)",
    )


def _sensitivity_n(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--log-n-max",
        type=float,
        default=4.5,
        metavar="X",
        help="largest log10 of N (default: 4.5)",
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


def _nothing(group: argparse._ArgumentGroup) -> None:
    """Target scores have no settings."""


COMMANDS = {
    "ehr": ("Measure how much of the heat lies in the boxes of objects.", _ehr),
    "insertion_deletion": (
        "Measure how fast the target appears and disappears with the hottest pixels.",
        _insertion_deletion,
    ),
    "sensitivity_n": (
        "Correlate summed attribution with what removing random pixels costs.",
        _sensitivity_n,
    ),
    "sanity_check": (
        "Re-initialise the classifier from the top down, and compare maps.",
        _sanity_check,
    ),
    "target_scores": ("Write the probability of each sample's explained class.", _nothing),
    "degradation": ("Remove tiles, most and least relevant first.", _degradation),
    "localisation": (
        "Play the pointing game; measure mass in the region and overlap.",
        _localisation,
    ),
}
"""What each command does, and what adds its own arguments."""


def _evaluate(name: str, arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.engine.config import load_config
    from input_iba.engine.evaluation.metrics import METRICS
    from input_iba.engine.evaluation.options import EvaluationOptions
    from input_iba.engine.evaluation.report import as_text
    from input_iba.engine.evaluation.run import run_evaluation

    given = vars(arguments) | {"progress_bar": arguments.pbar}
    kind = METRICS[name]
    metric = kind(**{item.name: given[item.name] for item in fields(kind)})
    known = {item.name for item in fields(EvaluationOptions)}
    options = EvaluationOptions(**{key: given[key] for key in known & given.keys()})
    result = run_evaluation(load_config(arguments.config, arguments.cfg_options), options, metric)
    print_text(as_text(metric, result))
    return FAILED if result.failed else 0


def _whole(text: str) -> int:
    """Read a number of samples."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {text!r}")
    return int(text)
