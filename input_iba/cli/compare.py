"""The command `input-iba compare`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from input_iba.cli.arguments import add_cfg_options, add_device, add_pbar, add_seed
from input_iba.cli.metric_arguments import add_selection, add_settings, metric_of
from input_iba.cli.run import FAILED, print_text

COMPARED = (
    *("insertion_deletion", "sensitivity_n", "degradation", "localisation", "ehr"),
    *("nlp_insertion_deletion", "nlp_sensitivity_n"),
)
"""Metrics that need a map and the classifier, and nothing of what made the map."""

DESCRIPTION = (
    "Score the maps of several work directories by several metrics on the same samples. One table "
    "(means with 95 % intervals, ranks, seconds per sample, paired significance) goes to "
    "compare.md, compare.json and compare.html in --out, the latter with the maps side by side."
)

STATUS_HELP = (
    "exit status: 0 every selected sample scored by every metric or left out by a rule, 1 some "
    "sample failed, 2 an option is wrong or the work directories do not fit each other, "
    "130 interrupted"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    parser.add_argument(
        "work_dirs",
        nargs="+",
        metavar="WORK_DIR",
        type=Path,
        help="work directory of a run, for its input masks; or a folder of maps in one, such as "
        "WORK_DIR/feat_masks. Classifier and samples come from the config of the first",
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        choices=COMPARED,
        default=["insertion_deletion"],
        metavar="METRIC",
        help=f"one or more of {', '.join(COMPARED)} (default: insertion_deletion)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the result"
    )
    parser.add_argument(
        "--names",
        nargs="+",
        metavar="NAME",
        help="one name per WORK_DIR (default: the folders' names)",
    )
    parser.add_argument(
        "--against",
        metavar="NAME",
        help="method that the others are compared with, sample by sample (default: the first)",
    )
    add_selection(
        parser,
        threshold=0.6,
        missing="score each method on every sample that it has a map of; without this only samples "
        "of which every WORK_DIR has one count",
    )
    add_cfg_options(parser)
    add_device(parser, precision="fp32")
    add_seed(parser)
    add_pbar(parser)
    add_settings(parser, COMPARED)
    parser.set_defaults(command=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.compare import CompareOptions, run_compare

    metrics = [metric_of(name, arguments) for name in dict.fromkeys(arguments.metrics)]
    given = vars(arguments) | {"progress_bar": arguments.pbar}
    options = CompareOptions(**{item.name: given[item.name] for item in fields(CompareOptions)})
    result = run_compare(options, metrics)
    print_text(result.text)
    print_text(f"\nResult: {result.page}")
    return FAILED if result.failed else 0
