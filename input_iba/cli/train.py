"""The commands `input-iba train vision` and `input-iba train nlp`: train a classifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.options import add_config, add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.run.options import ComputeOptions
from input_iba.training.settings import ON_COMMAND_LINE, TextTraining, TrainingOptions

DESCRIPTION = (
    "Train the classifier of a config on data.estimation, keep the epoch that is best on 5 % that "
    "are held out, and test it on data.attribution; of movie reviews both classes of both splits "
    "are taken. The checkpoint goes where attributor.classifier.pretrained points."
)


def set_up_train(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description = DESCRIPTION
    add_config(parser)
    add_options(parser, TrainingOptions)
    # What is not given has the default of the kind of data.
    unset = dict.fromkeys(ON_COMMAND_LINE)
    add_options(parser, TextTraining, only=ON_COMMAND_LINE, defaults=unset)
    add_options(parser, ComputeOptions, only=("seed",))
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    from input_iba.config.load import load_config
    from input_iba.training.data import training_settings
    from input_iba.training.run import run_training

    config = load_config(arguments.config, arguments.cfg_options)
    given = {name: getattr(arguments, name) for name in (*ON_COMMAND_LINE, "seed")}
    settings = training_settings(config, {k: v for k, v in given.items() if v is not None})
    work_dir = arguments.work_dir or Path("workdirs") / f"train_{arguments.config.stem}"
    options = from_arguments(TrainingOptions, arguments, work_dir=work_dir)
    result = run_training(config, settings, options)
    test = "" if result.test is None else f", on the test set {result.test:.2%}"
    print_text(f"Accuracy on what was held out {result.validation:.2%}{test}: {result.checkpoint}")
    return 0
