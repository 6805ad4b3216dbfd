"""The command `input-iba vibi train`: train explainers, VIBI and L2X."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from input_iba.cli.arguments import CONFIG_HELP, add_cfg_options
from input_iba.cli.options import add_option, add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.settings import declarations
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.settings import SECTIONS

DESCRIPTION = (
    "Train an explainer that chooses k chunks of an image, and an approximator that predicts the "
    "black box from them (VIBI; beta 0 is L2X). The black box is trained first, unless its "
    "checkpoint exists."
)

STATUS_HELP = (
    "exit status: 0 done, 1 the training failed, 2 the config or an option is wrong, 130 "
    "interrupted: --resume_training continues"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    parser.add_argument("--config", type=Path, metavar="CONFIG", help=f"{CONFIG_HELP}, below vibi/")
    add_cfg_options(parser)
    group = parser.add_argument_group("setting; each overrides the config")
    for section, kind in SECTIONS.items():
        for name, declared in declarations(kind).items():
            if declared.flag is not None:
                add_option(group, replace(declared, name=f"{section}.{name}", default=None))
    group = parser.add_argument_group("run")
    group.add_argument("--cuda", action="store_true", help="the same as --device cuda")
    add_options(group, VibiOptions, without=("progress_bar",))
    group.add_argument(
        *("--jump_start", "--jump-start"),
        nargs="?",
        const=True,
        metavar="CHECKPOINT",
        help="start from a checkpoint; without a name from the best one of the same setting "
        "with beta 0",
    )
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.vibi.commands.config import load_vibi_config
    from input_iba.vibi.commands.run import run_vibi, without_beta

    given = {k: v for k, v in vars(arguments).items() if "." in k and v is not None}
    config = load_vibi_config(arguments.config, arguments.cfg_options | given)
    start = arguments.jump_start
    if start is True:
        start = without_beta(config, arguments.work_dir)
    options = from_arguments(
        VibiOptions,
        arguments,
        device="cuda" if arguments.cuda else arguments.device,
        jump_start=None if start is None else Path(start),
    )
    result = run_vibi(config, options)
    print_text(
        f"Approximator fidelity {result.test.approximator:.2%}, rationale fidelity "
        f"{result.test.rationale:.2%} on {result.test.samples} test samples; black box accuracy "
        f"{result.black_box_accuracy:.2%}; {result.seconds:.0f} s: {result.work_dir}"
    )
    return 0
