"""The command `input-iba vibi explain`: explain new inputs with a trained explainer."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.vibi.commands.options import ExplainVibiOptions

DESCRIPTION = (
    "Explain images with an explainer that `input-iba vibi train` trained: one pass through a "
    "network each. Per image: <name>.npz with `mask` (H, W), the probability of each pixel's "
    "chunk, which the evaluation commands read, and <name>.png with the image, the map and the "
    "chosen chunks. An explainer of texts takes text files, and writes a value per word and "
    "<name>.html."
)

STATUS_HELP = (
    "exit status: 0 everything explained, 1 some input could not be read, 2 the checkpoint or an "
    "option is wrong, 130 interrupted"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    add_options(parser, ExplainVibiOptions, only=("checkpoint",))
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="image or text file")
    add_options(parser, ExplainVibiOptions, without=("checkpoint",))
    parser.set_defaults(command=_explain)


def _explain(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.drawing import percent
    from input_iba.records import Failure
    from input_iba.vibi.commands.explain import explain_files

    options = from_arguments(ExplainVibiOptions, arguments)
    failed = False
    for found in explain_files(options, arguments.images):
        if isinstance(found, Failure):
            failed = True
            print_text(f"{found.id} failed: {found.reason}")
            continue
        answers = "; ".join(
            f"{who} {name} {percent(probability)}"
            for who, (name, probability) in (
                ("black box", found.black_box),
                ("approximator on the chosen chunks", found.approximator),
                ("black box on them", found.rationale),
            )
        )
        print_text(f"{found.id}: {found.milliseconds:.1f} ms; {answers}; {found.files[0]}")
    return FAILED if failed else 0
