"""The commands that show what runs left: `figure grid`, `figure curves` and `report`."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.commands.figure.options import CurveOptions, GridOptions

GRID = "Draw images, one line each, with the masks of one or several work directories beside them."

CURVES = (
    "Draw the mean curves of one metric (insertion and deletion, sensitivity-N, effective heat "
    "ratios or degradation) for several methods, in bands of 95 % over samples. Results must be of "
    "the same samples, classifier and options."
)


REPORT = (
    "Write report.html about work directories: samples with their maps, metrics, manifest, on one "
    "page that opens from disk. Runs and evaluations write it at their end; this command writes it "
    "again, or shows several work directories side by side."
)

REPORT_STATUS = (
    "exit status: 0 the page is written, 1 it could not be written, 2 there is nothing to show in "
    "a folder, or an option is wrong"
)


def set_up_grid(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba figure grid`."""
    parser.description = GRID
    add_options(parser, GridOptions)
    parser.set_defaults(command=_grid)


def set_up_curves(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba figure curves`."""
    parser.description = CURVES
    add_options(parser, CurveOptions)
    parser.set_defaults(command=_curves)


def set_up_report(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba report`."""
    parser.description, parser.epilog = REPORT, REPORT_STATUS
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


def _grid(arguments: argparse.Namespace) -> int:
    from input_iba.commands.figure.grid import figure_grid

    options = from_arguments(GridOptions, arguments)
    count = figure_grid(options)
    print_text(f"{count} sample{'' if count == 1 else 's'} drawn: {options.out}")
    return 0


def _curves(arguments: argparse.Namespace) -> int:
    from input_iba.commands.figure.curves import figure_curves

    options = from_arguments(CurveOptions, arguments)
    count = figure_curves(options)
    print_text(f"Curves over {count} sample{'' if count == 1 else 's'} drawn: {options.out}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from input_iba.report import report_folders

    page = report_folders(arguments.work_dirs, arguments.out, arguments.names)
    print_text(f"Report: {page}")
    return 0
