"""The commands `input-iba train`: train a classifier of images or texts, or an explainer."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.options import add_config, add_options, from_arguments
from input_iba.cli.run import print_text
from input_iba.run.options import ComputeOptions, RunOptions
from input_iba.training.explainer_settings import ExplainerOptions, ExplainerTraining, Objective
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


EXPLAINER = (
    "Train an explainer for the classifier of a config, on inputs of data.estimation without their "
    "labels: they are explained by the config's method, and the explainer learns to say the same "
    "in one pass of the classifier. 'input-iba attribute CONFIG --explainer FILE' uses it."
)


def set_up_explainer(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description = EXPLAINER
    add_config(parser)
    add_options(parser, ExplainerOptions)
    add_options(parser, RunOptions, only=("preset",), defaults={"preset": "instant"})
    add_options(parser, ExplainerTraining)
    add_options(parser, Objective)
    parser.set_defaults(command=_train_explainer)


def _train_explainer(arguments: argparse.Namespace) -> int:
    from input_iba.config.load import load_config
    from input_iba.training.run_explainer import run_explainer

    config = load_config(arguments.config, arguments.cfg_options, arguments.preset)
    work_dir = arguments.work_dir or Path("workdirs") / f"explainer_{arguments.config.stem}"
    result = run_explainer(
        config,
        from_arguments(ExplainerTraining, arguments),
        from_arguments(Objective, arguments),
        from_arguments(ExplainerOptions, arguments, work_dir=work_dir),
    )
    print_text(
        f"Learned from {result.lessons} maps; divergence from those held out "
        f"{result.divergence:.3f} nats: {result.explainer}"
    )
    return 0
