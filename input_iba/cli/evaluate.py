"""The commands `input-iba evaluate METRIC`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial

from input_iba.cli.arguments import add_config
from input_iba.cli.options import add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.evaluation import METRICS, Metric
from input_iba.settings import REQUIRED, declarations

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
    """Add all arguments of one command; `name` is a key of `METRICS`."""
    kind = METRICS[name]
    parser.description, parser.epilog = kind.description + RESULT_HELP, STATUS_HELP
    add_config(parser)
    add_metrics(parser, [name])
    if kind.needs_map:
        add_options(parser, EvaluationOptions, defaults={"heatmap_dir": REQUIRED})
    else:
        ask = {"scores_threshold": 0.0}
        add_options(parser, EvaluationOptions, without=("scores_file",), defaults=ask)
    parser.set_defaults(command=partial(_evaluate, name))


def _evaluate(name: str, arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.commands.evaluate.report import as_text
    from input_iba.commands.evaluate.run import run_evaluation
    from input_iba.config.load import load_config

    metric, options = metric_of(name, arguments), from_arguments(EvaluationOptions, arguments)
    result = run_evaluation(load_config(arguments.config, arguments.cfg_options), options, metric)
    print_text(as_text(result))
    if result.report is not None:
        print_text(f"Report: {result.report}")
    return FAILED if result.failed else 0


def add_metrics(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """Add the settings of some metrics, those that they share once."""
    users: dict[str, list[str]] = {}
    for name in names:
        for of_metric in declarations(METRICS[name]):
            users.setdefault(of_metric, []).append(name)
    groups: dict[str, argparse._ArgumentGroup] = {}
    for of_metric, using in users.items():
        title = f"of {' and '.join(using)}"
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        defaults = {declarations(METRICS[name])[of_metric].default for name in using}
        own = {} if len(defaults) == 1 else {of_metric: None}  # that of each metric
        add_options(groups[title], METRICS[using[0]], only=[of_metric], defaults=own)


def metric_of(name: str, arguments: argparse.Namespace) -> Metric:
    """Return a metric with the settings that were given.

    Raises:
        EvaluationError: A setting is out of its range.
    """
    kind: type[Metric] = METRICS[name]
    missing = {
        of_metric: declared.default
        for of_metric, declared in declarations(kind).items()
        if getattr(arguments, of_metric) is None
    }
    return from_arguments(kind, arguments, **missing)
