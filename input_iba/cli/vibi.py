"""The commands `input-iba vibi`: train explainers (VIBI, L2X), explain with them, experiment."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from input_iba.cli.options import (
    CONFIG_HELP,
    add_cfg_options,
    add_option,
    add_options,
    from_arguments,
)
from input_iba.cli.run import FAILED, print_text
from input_iba.config.shipped import shipped
from input_iba.settings import declarations
from input_iba.vibi.commands.options import ExperimentsOptions, ExplainVibiOptions, VibiOptions
from input_iba.vibi.settings import SECTIONS

TRAIN = (
    "Train an explainer that chooses k chunks of an image, and an approximator that predicts the "
    "black box from them (VIBI; beta 0 is L2X). The black box is trained first, unless its "
    "checkpoint exists."
)

TRAIN_STATUS = (
    "exit status: 0 done, 1 the training failed, 2 the config or an option is wrong, 130 "
    "interrupted: --resume_training continues"
)

EXPLAIN = (
    "Explain images with an explainer that `input-iba vibi train` trained: one pass through a "
    "network each. Per image: <name>.npz with `mask` (H, W), the probability of each pixel's "
    "chunk, which the evaluation commands read, and <name>.png with the image, the map and the "
    "chosen chunks. An explainer of texts takes text files, and writes a value per word and "
    "<name>.html."
)

EXPLAIN_STATUS = (
    "exit status: 0 everything explained, 1 some input could not be read, 2 the checkpoint or an "
    "option is wrong, 130 interrupted"
)

EXPERIMENTS = (
    "Run `input-iba vibi train` for many configs, one after the other. What was stopped goes on "
    "after its last whole epoch, what is finished is not run again. A table goes to the screen and "
    "to experiments.md and experiments.json in --out."
)

EXPERIMENTS_STATUS = (
    "exit status: 0 every setting is done, 1 some failed, 2 a config or an option is wrong, 130 "
    "interrupted: the same command continues"
)


def set_up_train(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba vibi train`."""
    parser.description, parser.epilog = TRAIN, TRAIN_STATUS
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


def set_up_explain(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba vibi explain`."""
    parser.description, parser.epilog = EXPLAIN, EXPLAIN_STATUS
    add_options(parser, ExplainVibiOptions, only=("checkpoint",))
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="image or text file")
    add_options(parser, ExplainVibiOptions, without=("checkpoint",))
    parser.set_defaults(command=_explain)


def set_up_experiments(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba vibi experiments`."""
    parser.description, parser.epilog = EXPERIMENTS, EXPERIMENTS_STATUS
    add_options(parser, ExperimentsOptions)
    add_cfg_options(parser)
    parser.set_defaults(command=_experiments)


def _train(arguments: argparse.Namespace) -> int:
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
    told = (
        f"Approximator fidelity {result.test.approximator:.2%}, rationale fidelity "
        f"{result.test.rationale:.2%} on {result.test.samples} test samples; black box accuracy "
        f"{result.black_box_accuracy:.2%}; {result.seconds:.0f} s: {result.work_dir}"
    )
    print_text(f"{told}. {result.test.warning}" if result.test.warning else told)
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from input_iba.drawing import percent
    from input_iba.records import Failure
    from input_iba.vibi.commands.explain import explain_files

    options = from_arguments(ExplainVibiOptions, arguments)
    failed, warning = False, ""
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
        warning = found.warning
    if warning:
        print_text(warning)
    return FAILED if failed else 0


def _experiments(arguments: argparse.Namespace) -> int:
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
