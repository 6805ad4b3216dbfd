"""The commands that list what there is: `layers` of a classifier, and `configs`."""

from __future__ import annotations

import argparse

from input_iba.cli.options import add_config
from input_iba.cli.run import STATUS_HELP, print_text
from input_iba.config.shipped import shipped, shipped_configs
from input_iba.errors import ConfigError

LAYERS = (
    "List the classifier's layers with their output shapes (channels, height, width), so that one "
    "can be chosen as attributor.layer, or as --layer of an image."
)


CONFIGS = (
    "List the configs that come with the package, by the names that commands take. A name's last "
    "part will do: vgg_cifar10_test for cifar10/vgg_cifar10_test. Those below vibi/ are for "
    "`input-iba vibi`, all others for the other commands."
)


def set_up_layers(parser: argparse.ArgumentParser) -> None:
    """Add whose layers are listed."""
    parser.description, parser.epilog = LAYERS, STATUS_HELP
    add_config(parser, instead_of="--model")
    parser.add_argument("--model", metavar="NAME", help="a model of `attribute --image`")
    parser.set_defaults(command=_layers)


def set_up_configs(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is only one list."""
    parser.description = CONFIGS
    parser.set_defaults(command=_configs)


def _layers(arguments: argparse.Namespace) -> int:
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


def _configs(_arguments: argparse.Namespace) -> int:
    print_text("\n".join(shipped_configs()))
    print_text(f"\nTo be read, or copied and changed, in {shipped('configs')}")
    return 0
