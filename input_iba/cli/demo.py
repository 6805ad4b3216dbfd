"""The command `input-iba demo`."""

from __future__ import annotations

import argparse

from input_iba.cli.arguments import add_cfg_options
from input_iba.cli.explain import add_explain_options, explain_samples
from input_iba.cli.run import STATUS_HELP

DESCRIPTION = (
    "Explain six images, which come with packages (the extra 'samples') as the network does: "
    "the config samples, with --resume, so that the command can be repeated."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add the options of `attribute`, and choose the config."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    add_cfg_options(parser)
    add_explain_options(parser)
    parser.set_defaults(command=explain_samples, config="samples", resume=True)
