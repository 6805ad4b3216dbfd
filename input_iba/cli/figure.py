"""The commands `input-iba figure grid` and `input-iba figure curves`."""

from __future__ import annotations

import argparse

from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.commands.figure.options import CurveOptions, GridOptions

GRID = "Draw images, one line each, with the masks of one or several work directories beside them."

CURVES = (
    "Draw the mean curves of one metric (insertion and deletion, sensitivity-N, effective heat "
    "ratios or degradation) for several methods, in bands of 95 % over samples. Results must be of "
    "the same samples, classifier and options."
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


def _grid(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
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
