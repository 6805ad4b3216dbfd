"""The command `input-iba vibi experiments`: run many settings, and tell what came of each."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.arguments import add_cfg_options
from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.config.shipped import shipped
from input_iba.vibi.commands.options import ExperimentsOptions, VibiOptions

DESCRIPTION = (
    "Run `input-iba vibi train` for many configs, one after the other. What was stopped goes on "
    "after its last whole epoch, what is finished is not run again. A table goes to the screen and "
    "to experiments.md and experiments.json in --out."
)

STATUS_HELP = (
    "exit status: 0 every setting is done, 1 some failed, 2 a config or an option is wrong, 130 "
    "interrupted: the same command continues"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    add_options(parser, ExperimentsOptions)
    add_cfg_options(parser)
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.drawing import as_plain
    from input_iba.vibi.commands.experiments import run_experiments, table
    from input_iba.vibi.commands.run import WORK_DIRS

    paths = arguments.configs or _all()
    seeds = list(dict.fromkeys(arguments.seeds))
    work_dir = arguments.work_dir or WORK_DIRS
    options = from_arguments(VibiOptions, arguments, work_dir=work_dir)
    out = arguments.out or work_dir
    rows = run_experiments(paths, seeds, arguments.cfg_options, options, out)
    print_text(as_plain(table(rows, len(paths) * len(seeds))))
    print_text(f"\nTable: {out / 'experiments.md'}")
    return FAILED if any(row.failure for row in rows) else 0


def _all() -> list[Path]:
    """Return the settings in configs/vibi of the present folder, or else those of the package."""
    mine = Path("configs/vibi")
    return sorted((mine if mine.is_dir() else shipped("configs") / "vibi").glob("[!_]*.py"))
