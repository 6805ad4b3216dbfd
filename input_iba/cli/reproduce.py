"""The command `reproduce`."""

from __future__ import annotations

import argparse

from input_iba.cli.options import add_options, add_trust, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.commands.reproduce_options import ReproduceOptions

REPRODUCE = (
    "Repeat a run from what its work directory says of it, in another folder, and compare the "
    "maps: equal bit for bit, within a tolerance, or which samples differ. Refused where config, "
    "weights, data or samples are others than then; another processor or other packages are named."
)
STATUS = (
    "exit status: 0 every map came again, 1 some differ, 2 the run cannot be repeated or an option "
    "is wrong, 130 interrupted"
)


def set_up_reproduce(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba reproduce`."""
    parser.description, parser.epilog = REPRODUCE, STATUS
    add_options(parser, ReproduceOptions)
    add_trust(parser)
    parser.set_defaults(command=_reproduce)


def _reproduce(arguments: argparse.Namespace) -> int:
    from input_iba.commands.reproduce import reproduce

    found = reproduce(from_arguments(ReproduceOptions, arguments))
    print_text(found.text)
    return 0 if found.good else FAILED
