"""The command `input-iba configs`."""

from __future__ import annotations

import argparse

from input_iba.cli.run import print_text
from input_iba.config.shipped import shipped, shipped_configs

DESCRIPTION = (
    "List the configs that come with the package, by the names that commands take. A name's last "
    "part will do: vgg_cifar10_test for cifar10/vgg_cifar10_test. Those below vibi/ are for "
    "`input-iba vibi`, all others for the other commands."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is only one list."""
    parser.description = DESCRIPTION
    parser.set_defaults(command=_list)


def _list(_arguments: argparse.Namespace) -> int:
    print_text("\n".join(shipped_configs()))
    print_text(f"\nTo be read, or copied and changed, in {shipped('configs')}")
    return 0
