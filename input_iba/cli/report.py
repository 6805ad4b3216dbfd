"""The command `input-iba report`."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.run import print_text

DESCRIPTION = (
    "Write report.html about work directories: samples with their maps, metrics, manifest, on one "
    "page that opens from disk. Runs and evaluations write it at their end; this command writes it "
    "again, or shows several work directories side by side."
)

STATUS_HELP = (
    "exit status: 0 the page is written, 1 it could not be written, 2 there is nothing to show in "
    "a folder, or an option is wrong"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    parser.add_argument(
        "work_dirs",
        nargs="+",
        metavar="WORK_DIR",
        type=Path,
        help="work directory of a run, or folder of an evaluation's results",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page, or a folder for it (default: WORK_DIR/report.html; of several, report.html "
        "in the folder that holds them all)",
    )
    parser.add_argument(
        "--names",
        nargs="+",
        metavar="NAME",
        help="one name per WORK_DIR (default: the folders' names)",
    )
    parser.set_defaults(command=_report)


def _report(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.report import report_folders

    page = report_folders(arguments.work_dirs, arguments.out, arguments.names)
    print_text(f"Report: {page}")
    return 0
