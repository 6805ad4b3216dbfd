"""The command `input-iba export`: classifier and explainer as one graph."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from input_iba.cli.options import CONFIG_HELP, add_cfg_options, add_options, from_arguments
from input_iba.cli.run import STATUS_HELP, print_text
from input_iba.commands.export_options import ExportOptions
from input_iba.errors import ConfigError

if TYPE_CHECKING:
    from input_iba.config.load import RunConfig

DESCRIPTION = (
    "Write the classifier of a config and the explainer that was trained for it as one graph: "
    "images in, logits and maps out. Beside it stands a JSON file with what images must look like "
    "and what classes are called."
)


def set_up_export(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    parser.add_argument(
        "explainer",
        metavar="EXPLAINER",
        type=Path,
        help="file that 'input-iba train explainer' or AmortisedIBA.save(path) wrote",
    )
    parser.add_argument(
        "--config",
        metavar="CONFIG",
        type=Path,
        help=f"{CONFIG_HELP} (default: config.py beside the explainer)",
    )
    parser.add_argument("--model", metavar="NAME", help="a model of `attribute --image` instead")
    add_options(parser, ExportOptions)
    add_cfg_options(parser)
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    from input_iba.attribution.amortised import SUFFIXES, read_explainer
    from input_iba.commands.export import run_export

    explainer = read_explainer(arguments.explainer)
    config = _config(arguments)
    out = arguments.out or arguments.explainer.with_suffix(SUFFIXES[arguments.format])
    options = from_arguments(ExportOptions, arguments, out=out)
    graph, beside = run_export(explainer, config, options)
    print_text(f"Graph: {graph}\nHow images are prepared, and names of classes: {beside}")
    return 0


def _config(arguments: argparse.Namespace) -> RunConfig:
    """Return the config of the explainer's classifier."""
    from input_iba.commands.explain.images import model_config
    from input_iba.config.kept import KEPT, load_kept
    from input_iba.config.load import load_config

    if arguments.config is not None and arguments.model is not None:
        raise ConfigError("Give either --config CONFIG or --model NAME, of which the explainer is.")
    if arguments.model is not None:
        return model_config(arguments.model, arguments.cfg_options, pretrained=True)
    folder = arguments.explainer.parent
    if arguments.config is None and not (folder / KEPT).is_file():
        raise ConfigError(
            f"There is no config beside '{arguments.explainer}'. Say whose explainer it is: "
            "--config CONFIG, or --model NAME."
        )
    if arguments.config is None:
        return load_kept(folder, arguments.cfg_options)
    return load_config(arguments.config, arguments.cfg_options)
