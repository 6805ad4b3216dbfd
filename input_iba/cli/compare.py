"""The command `input-iba compare`."""

from __future__ import annotations

import argparse

from input_iba.cli.arguments import add_cfg_options
from input_iba.cli.evaluate import add_metrics, metric_of
from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.commands.compare.options import CompareOptions

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
        "--metrics",
        nargs="+",
        choices=COMPARED,
        default=["insertion_deletion"],
        metavar="METRIC",
        help=f"one or more of {', '.join(COMPARED)} (default: insertion_deletion)",
    )
    add_options(parser, CompareOptions, without=("scores_file",))
    add_cfg_options(parser)
    add_metrics(parser, COMPARED)
    parser.set_defaults(command=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.compare.run import run_compare

    metrics = [metric_of(name, arguments) for name in dict.fromkeys(arguments.metrics)]
    result = run_compare(from_arguments(CompareOptions, arguments), metrics)
    print_text(result.text)
    print_text(f"\nResult: {result.page}")
    return FAILED if result.failed else 0
