"""The table of commands, under the names of `input-iba` and of the published scripts."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

from input_iba import __version__
from input_iba.cli.run import STATUS_HELP, run_command
from input_iba.errors import closest
from input_iba.evaluation import METRICS

SetUp = Callable[[argparse.ArgumentParser], None]


def _of(module: str, command: str, **given: str) -> SetUp:
    """Return what adds the arguments of a command, whose module is imported only then."""

    def set_up(parser: argparse.ArgumentParser) -> None:
        getattr(import_module(f"input_iba.cli.{module}"), f"set_up_{command}")(parser, **given)

    return set_up


COMMANDS: Mapping[str, tuple[str, SetUp]] = {
    "demo": ("explain six images that come with packages", _of("explain", "demo")),
    "attribute": (
        "explain images, texts, or every sample of a config's data set",
        _of("explain", "attribute"),
    ),
    "layers": ("list the classifier's layers with their output shapes", _of("listing", "layers")),
    "configs": ("list the configs that come with the package", _of("listing", "configs")),
    "baseline": ("explain by another method, to compare with", _of("explain", "baseline")),
    **{
        f"evaluate {name}": (kind.description, _of("evaluate", "evaluate", name=name))
        for name, kind in METRICS.items()
    },
    "compare": (
        "score the maps of several work directories on the same samples",
        _of("evaluate", "compare"),
    ),
    "benchmark": (
        "explain and score by many methods and metrics, on every network of a suite",
        _of("benchmark", "benchmark"),
    ),
    "recommend": (
        "try layers, β, priors and readings on some samples, and write the best as a config",
        _of("recommend", "recommend"),
    ),
    "figure grid": ("images, one line each, and what methods saw", _of("show", "grid")),
    "figure curves": ("mean curves of methods, in bands of 95 %%", _of("show", "curves")),
    "report": (
        "write the page of one work directory, or of several side by side",
        _of("show", "report"),
    ),
    "app": ("open a page on which images and texts are explained", _of("app", "app")),
    "reproduce": (
        "repeat a run from its work directory, and compare the maps",
        _of("reproduce", "reproduce"),
    ),
    "train vision": ("train a classifier of images", _of("train", "train")),
    "train nlp": ("train a classifier of texts", _of("train", "train")),
    "train explainer": (
        "train an explainer that answers in the classifier's own pass",
        _of("train", "explainer"),
    ),
    "export": (
        "write a classifier and its explainer as one graph, for onnxruntime and browsers",
        _of("export", "export"),
    ),
    "vibi train": ("train an explainer and an approximator", _of("vibi", "train")),
    "vibi explain": ("explain images or texts with a trained explainer", _of("vibi", "explain")),
    "vibi experiments": ("train many settings, one after the other", _of("vibi", "experiments")),
    "small-imagenet": (
        "choose a small ImageNet, as configs read it",
        _of("small_imagenet", "small_imagenet"),
    ),
}
"""What each command does, and what adds its arguments and the function that runs it."""

GROUPS = {
    "evaluate": ("METRIC", "score maps by a metric"),
    "figure": ("KIND", "draw a figure of samples and methods, or of evaluations"),
    "train": ("KIND", "train the classifier of a config, or an explainer for it"),
    "vibi": ("STEP", "train explainers once, and use them often (VIBI, L2X)"),
}
"""How the second word of commands is called, and what those with the same first word do."""

SECOND = ("COMMAND", *{what for what, _ in GROUPS.values()})
"""How messages call the words that name a command."""


class Parser(argparse.ArgumentParser):
    """A parser whose arguments are added when it is to parse: of many commands, those of one."""

    set_up: SetUp | None = None

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """Parse as every parser does, arguments that others read left over."""
        set_up, self.set_up = self.set_up, None
        if set_up is not None:
            set_up(self)
        return super().parse_known_args(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong as every parser does, and which commands a mistyped one is near to."""
        wrong = re.search(rf"argument (?:{'|'.join(SECOND)}): invalid choice: '([^']*)'", message)
        if wrong:  # of a command that has others below it
            before = self.prog.split()[1:]
            split = [name.split() for name in COMMANDS]
            known = [words[len(before)] for words in split if words[: len(before)] == before]
            message += closest(wrong[1], known)
        super().error(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `input-iba` with arguments, None for those of the process; return the exit status."""
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
    """Run a command, a key of `COMMANDS`, as a script of its own; return the exit status."""
    parser = argparse.ArgumentParser()
    COMMANDS[command][1](parser)
    return run_command(parser, argv)


if __name__ == "__main__":
    sys.exit(main())
