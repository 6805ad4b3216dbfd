"""The commands `input-iba figure grid` and `input-iba figure curves`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from input_iba.cli.arguments import whole
from input_iba.cli.run import print_text

GRID = "Draw images, one line each, with the masks of one or several work directories beside them."

CURVES = (
    "Draw the mean curves of one metric (insertion and deletion, sensitivity-N, effective heat "
    "ratios or degradation) for several methods, in bands of 95 % over samples. Results must be of "
    "the same samples, classifier and options."
)

SHOWN = ("overlay", "feature_mask", "prior_mask", "input_mask")


def set_up_grid(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba figure grid`."""
    parser.description = GRID
    parser.add_argument(
        "work_dirs",
        nargs="+",
        type=Path,
        metavar="WORK_DIR",
        help="work directories of runs, or folders of masks in them, such as .../feat_masks",
    )
    _add_output(parser)
    _add_samples(parser)
    _add_looks(parser)
    parser.set_defaults(command=_grid)


def set_up_curves(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba figure curves`."""
    parser.description = CURVES
    parser.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULT",
        help="JSON files of evaluation commands, or the .rows.jsonl files of input-iba compare",
    )
    _add_output(parser)
    parser.add_argument(
        "--own-samples",
        action="store_true",
        help="draw each method over all samples that it has, not those that all have",
    )
    parser.set_defaults(command=_curves)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the figure; its ending says the format: .png, .pdf, .svg or .jpg",
    )
    parser.add_argument(
        "--names", nargs="+", metavar="NAME", help="names of the methods, in the same order"
    )


def _add_samples(grid: argparse.ArgumentParser) -> None:
    grid.add_argument(
        "--samples", nargs="+", default=[], metavar="ID", help="samples, in the order of the lines"
    )
    grid.add_argument(
        "--num-samples",
        type=whole,
        default=12,
        metavar="N",
        help="how many samples, where none are named (default: 12)",
    )
    grid.add_argument(
        "--show",
        nargs="+",
        default=[],
        choices=SHOWN,
        metavar="KIND",
        help=f"any of {', '.join(SHOWN)} (default: overlay, feature_mask and input_mask of one "
        "work directory, input_mask of each of several)",
    )


def _add_looks(grid: argparse.ArgumentParser) -> None:
    grid.add_argument(
        "--cmap",
        dest="colour_map",
        metavar="NAME",
        help="colour map of matplotlib's, e.g. viridis, or the published bwr (default: inferno, "
        "which is perceptually uniform; of signed maps coolwarm, with 0 in its middle)",
    )
    grid.add_argument(
        "--inches", type=float, default=2.0, metavar="X", help="side of a picture (default: 2)"
    )
    grid.add_argument(
        "--dpi",
        dest="dots_per_inch",
        type=int,
        default=110,
        metavar="N",
        help="dots per inch of pictures (default: 110)",
    )


def _grid(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.figure.grid import GridOptions, figure_grid

    given = vars(arguments)
    options = GridOptions(**{item.name: given[item.name] for item in fields(GridOptions)})
    count = figure_grid(options)
    print_text(f"{count} sample{'' if count == 1 else 's'} drawn: {options.out}")
    return 0


def _curves(arguments: argparse.Namespace) -> int:
    from input_iba.commands.figure.curves import CurveOptions, figure_curves

    given = vars(arguments)
    options = CurveOptions(**{item.name: given[item.name] for item in fields(CurveOptions)})
    count = figure_curves(options)
    print_text(f"Curves over {count} sample{'' if count == 1 else 's'} drawn: {options.out}")
    return 0
