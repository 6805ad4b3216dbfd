"""The command that opens a page: `input-iba app`."""

from __future__ import annotations

import argparse

from input_iba.app.options import AppOptions
from input_iba.cli.options import add_options, from_arguments

APP = (
    "Serve a page, to this machine alone, on which an image is dropped or a text typed, and "
    "explained for a class, with whether to believe the map, and another method beside it. "
    "Networks are chosen from a list; what is uploaded stays in memory until it is answered."
)

STATUS = "exit status: 0 the page was closed, 1 it cannot be served there, 2 an option is wrong"


def set_up_app(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba app`."""
    parser.description, parser.epilog = APP, STATUS
    add_options(parser, AppOptions)
    parser.set_defaults(command=_app)


def _app(arguments: argparse.Namespace) -> int:
    from input_iba.app.server import serve

    serve(from_arguments(AppOptions, arguments))
    return 0
