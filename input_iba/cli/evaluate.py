"""The commands `input-iba evaluate METRIC`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from functools import partial
from pathlib import Path

from input_iba.cli.arguments import add_config, add_device, add_pbar, add_seed
from input_iba.cli.metric_arguments import COMMANDS, add_selection, add_settings, metric_of
from input_iba.cli.run import FAILED, print_text

STATUS_HELP = (
    "exit status: 0 every selected sample scored or left out by a rule of the metric, 1 some "
    "sample failed or could not be read, 2 the config, an option or a map is missing or wrong, "
    "130 interrupted"
)

RESULT_HELP = (
    " Rows, summary (mean, deviation, 95 % interval, n), what was left out and why go to "
    "WORK_DIR/FILE_NAME, a curve to the PNG beside it."
)


def set_up(parser: argparse.ArgumentParser, name: str) -> None:
    """Add all arguments of one command; `name` is a key of `COMMANDS`."""
    parser.description, parser.epilog = COMMANDS[name][0] + RESULT_HELP, STATUS_HELP
    add_config(parser)
    maps = name != "target_scores"
    parser.add_argument(
        "heatmap_dir",
        nargs=None if maps else "?",
        metavar="HEATMAP_DIR",
        type=Path,
        help="folder of maps named by sample: npz (key mask), npy, or png; or a work directory, "
        "for its input masks" + ("" if maps else ". Given, only samples with a map count"),
    )
    parser.add_argument("work_dir", metavar="WORK_DIR", type=Path, help="folder of the result")
    parser.add_argument("file_name", metavar="FILE_NAME", help="name of the JSON file in it")
    add_settings(parser, [name])
    if maps:
        parser.add_argument(
            "--scores-file",
            type=Path,
            metavar="FILE",
            help="target probabilities from `evaluate target_scores` (default: ask the classifier)",
        )
    add_selection(
        parser,
        threshold=0.6 if maps else 0.0,
        missing="leave out samples without a map; without this they are an error",
    )
    # Scores are differences of probabilities and logits, which rounding to bf16 would swallow.
    add_device(parser, precision="fp32")
    add_seed(parser)
    add_pbar(parser)
    parser.set_defaults(command=partial(_evaluate, name))


def _evaluate(name: str, arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.evaluate.options import EvaluationOptions
    from input_iba.commands.evaluate.report import as_text
    from input_iba.commands.evaluate.run import run_evaluation
    from input_iba.config.load import load_config

    given = vars(arguments) | {"progress_bar": arguments.pbar}
    metric = metric_of(name, arguments)
    known = {item.name for item in fields(EvaluationOptions)}
    options = EvaluationOptions(**{key: given[key] for key in known & given.keys()})
    result = run_evaluation(load_config(arguments.config, arguments.cfg_options), options, metric)
    print_text(as_text(metric, result))
    if result.report is not None:
        print_text(f"Report: {result.report}")
    return FAILED if result.failed else 0
