"""The command `recommend`."""

from __future__ import annotations

import argparse

from input_iba.cli.options import add_config, add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.commands.recommend.options import RecommendOptions

RECOMMEND = (
    "Which setting suits a classifier? Layers, both β, priors and readings of the map are tried on "
    "some samples of a config, fewer settings on more samples, within --minutes. What is found is "
    "measured on other samples beside the present setting, and counts only if it is better there: "
    "faithfulness (insertion − deletion), the share in boxes where there are any, agreement of two "
    "seeds, and seconds. The config recommended.py in the work directory is one that `input-iba "
    "attribute` runs; tables, a picture and a page lie beside it. What was measured is kept: give "
    "the same command again to go on, also with more minutes."
)
STATUS = (
    "exit status: 0 a config was written, 2 the config or an option is wrong, or too few samples "
    "can be explained, 130 interrupted"
)


def set_up_recommend(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba recommend`."""
    parser.description, parser.epilog = RECOMMEND, STATUS
    add_config(parser)
    add_options(parser, RecommendOptions)
    parser.set_defaults(command=_recommend)


def _recommend(arguments: argparse.Namespace) -> int:
    from input_iba.commands.recommend.run import run_recommend
    from input_iba.config.load import load_config

    options = from_arguments(RecommendOptions, arguments)
    config = load_config(arguments.config, options.cfg_options, options.preset)
    result = run_recommend(config, options)
    print_text(result.text)
    print_text(f"\nConfig: {result.config}\nPage: {result.page}")
    return 0
