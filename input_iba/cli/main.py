"""The table of commands, under the names of `input-iba` and of the published scripts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from input_iba import __version__
from input_iba.cli import (
    attribute,
    baseline,
    compare,
    configs,
    demo,
    evaluate,
    figure,
    layers,
    report,
    small_imagenet,
    train,
    vibi_experiments,
    vibi_explain,
    vibi_train,
)
from input_iba.cli.run import STATUS_HELP, run_command
from input_iba.evaluation import METRICS

SetUp = Callable[[argparse.ArgumentParser], None]

COMMANDS: Mapping[str, tuple[str, SetUp]] = {
    "demo": ("explain six images that come with packages", demo.set_up),
    "attribute": (
        "explain images, texts, or every sample of a config's data set",
        attribute.set_up,
    ),
    "layers": ("list the classifier's layers with their output shapes", layers.set_up),
    "configs": ("list the configs that come with the package", configs.set_up),
    "baseline": ("explain by another method, to compare with", baseline.set_up),
    **{
        f"evaluate {name}": (kind.description, partial(evaluate.set_up, name=name))
        for name, kind in METRICS.items()
    },
    "compare": ("score the maps of several work directories on the same samples", compare.set_up),
    "figure grid": ("images, one line each, and what methods saw", figure.set_up_grid),
    "figure curves": ("mean curves of methods, in bands of 95 %%", figure.set_up_curves),
    "report": ("write the page of one work directory, or of several side by side", report.set_up),
    "train vision": ("train a classifier of images", train.set_up),
    "train nlp": ("train a classifier of texts", train.set_up),
    "vibi train": ("train an explainer and an approximator", vibi_train.set_up),
    "vibi explain": ("explain images or texts with a trained explainer", vibi_explain.set_up),
    "vibi experiments": ("train many settings, one after the other", vibi_experiments.set_up),
    "small-imagenet": ("choose a small ImageNet, as configs read it", small_imagenet.set_up),
}
"""What each command does, and what adds its arguments and the function that runs it."""

GROUPS = {
    "evaluate": ("METRIC", "score maps by a metric"),
    "figure": ("KIND", "draw a figure of samples and methods, or of evaluations"),
    "train": ("KIND", "train the classifier of a config"),
    "vibi": ("STEP", "train explainers once, and use them often (VIBI, L2X)"),
}
"""How the second word of commands is called, and what those with the same first word do."""


class Parser(argparse.ArgumentParser):
    """A parser whose arguments are added when it is to parse: of many commands, those of one."""

    set_up: SetUp | None = None

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """Parse as every parser does, arguments that others read left over."""
        set_up, self.set_up = self.set_up, None
        if set_up is not None:
            set_up(self)
        return super().parse_known_args(*args, **kwargs)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command `input-iba`.

    Args:
        argv: Arguments after the command's name; None for those of the process.

    Returns:
        The exit status.
    """
    parser = Parser(
        prog="input-iba",
        description="See which pixels or words made a PyTorch classifier decide.",
        epilog=STATUS_HELP,
    )
    parser.add_argument("--version", action="version", version=f"input-iba {__version__}")
    within = {"": parser.add_subparsers(title="commands", metavar="COMMAND", required=True)}
    for name, (text, set_up) in COMMANDS.items():
        group, _, kind = name.rpartition(" ")
        if group not in within:
            second, what = GROUPS[group]
            found = within[""].add_parser(group, help=what)
            within[group] = found.add_subparsers(title=what, metavar=second, required=True)
        within[group].add_parser(kind, help=text).set_up = set_up
    return run_command(parser, argv)


def script(command: str, argv: Sequence[str] | None = None) -> int:
    """Run one command as a script of its own.

    Args:
        command: A key of `COMMANDS`.
        argv: Arguments after the script's name; None for those of the process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser()
    COMMANDS[command][1](parser)
    return run_command(parser, argv)


if __name__ == "__main__":
    sys.exit(main())
