"""The command `input-iba layers`."""

from __future__ import annotations

import argparse

from input_iba.cli.arguments import add_config
from input_iba.cli.run import STATUS_HELP, print_text
from input_iba.errors import ConfigError

DESCRIPTION = (
    "List the classifier's layers with their output shapes (channels, height, width), so that one "
    "can be chosen as attributor.layer, or as --layer of an image."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add whose layers are listed."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    add_config(parser, instead_of="--model")
    parser.add_argument("--model", metavar="NAME", help="a model of `attribute --image`")
    parser.set_defaults(command=_layers)


def _layers(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.explain.images import model_config
    from input_iba.commands.layers import list_layers
    from input_iba.config.load import load_config

    if (arguments.config is None) == (arguments.model is None):
        raise ConfigError("Give either a CONFIG or --model NAME to list the layers of.")
    if arguments.model is not None:
        config = model_config(arguments.model, arguments.cfg_options)
    else:
        config = load_config(arguments.config, arguments.cfg_options)
    print_text(list_layers(config))
    return 0
