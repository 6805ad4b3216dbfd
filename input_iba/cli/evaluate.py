"""The commands that score maps: `evaluate METRIC` and `compare`."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial

from input_iba.cli.options import add_cfg_options, add_config, add_options, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.evaluation import METRICS, Metric
from input_iba.settings import REQUIRED, declarations

EVALUATE_STATUS = (
    "exit status: 0 every selected sample scored or left out by a rule of the metric, 1 some "
    "sample failed or could not be read, 2 the config, an option or a map is missing or wrong, "
    "130 interrupted"
)

RESULT_HELP = (
    " Rows, summary (mean, deviation, 95 % interval, n), what was left out and why go to "
    "WORK_DIR/FILE_NAME, a curve to the PNG beside it."
)


COMPARED = (
    *("insertion_deletion", "patch_insertion_deletion", "sensitivity_n", "degradation"),
    *("road", "single_deletion", "localisation", "ehr"),
    *("nlp_insertion_deletion", "nlp_insertion_deletion_mask", "nlp_insertion_deletion_remove"),
    *("nlp_sensitivity_n", "rationale", "rationale_mask", "rationale_remove", "evidence"),
)
"""Metrics that need a map and the classifier, and nothing of what made the map."""

COMPARE = (
    "Score the maps of several work directories by several metrics on the same samples. One table "
    "(means with 95 % intervals, ranks, seconds per sample, paired significance) goes to "
    "compare.md, compare.json and compare.html in --out, the latter with the maps side by side."
)

COMPARE_STATUS = (
    "exit status: 0 every selected sample scored by every metric or left out by a rule, 1 some "
    "sample failed, 2 an option is wrong or the work directories do not fit each other, "
    "130 interrupted"
)


def set_up_evaluate(parser: argparse.ArgumentParser, name: str) -> None:
    """Add all arguments of `input-iba evaluate METRIC`; `name` is a key of `METRICS`."""
    kind = METRICS[name]
    parser.description, parser.epilog = kind.description + RESULT_HELP, EVALUATE_STATUS
    add_config(parser)
    _add_metrics(parser, [name])
    if kind.needs_map:
        add_options(parser, EvaluationOptions, defaults={"heatmap_dir": REQUIRED})
    else:
        parser.description += " With HEATMAP_DIR, only samples that have a map there count."
        ask = {"scores_threshold": 0.0}
        add_options(parser, EvaluationOptions, without=("scores_file",), defaults=ask)
    parser.set_defaults(command=partial(_evaluate, name))


def set_up_compare(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba compare`."""
    parser.description, parser.epilog = COMPARE, COMPARE_STATUS
    parser.add_argument(
        "--metrics",
        nargs="+",
        choices=COMPARED,
        default=["insertion_deletion"],
        metavar="METRIC",
        help=f"one or more of {', '.join(COMPARED)} (default: insertion_deletion)",
    )
    add_options(parser, CompareOptions, without=("scores_file",))
    add_cfg_options(parser)
    _add_metrics(parser, COMPARED)
    parser.set_defaults(command=_compare)


def _evaluate(name: str, arguments: argparse.Namespace) -> int:
    from input_iba.commands.evaluate.report import as_text
    from input_iba.commands.evaluate.run import run_evaluation
    from input_iba.config.load import load_config
    from input_iba.run.on_ray import session

    metric, options = _metric_of(name, arguments), from_arguments(EvaluationOptions, arguments)
    config = load_config(arguments.config, arguments.cfg_options)
    with session(options):
        result = run_evaluation(config, options, metric)
    print_text(as_text(result))
    if result.report is not None:
        print_text(f"Report: {result.report}")
    return FAILED if result.failed else 0


def _compare(arguments: argparse.Namespace) -> int:
    from input_iba.commands.compare.run import run_compare

    metrics = [_metric_of(name, arguments) for name in dict.fromkeys(arguments.metrics)]
    result = run_compare(from_arguments(CompareOptions, arguments), metrics)
    print_text(result.text)
    print_text(f"\nResult: {result.page}")
    return FAILED if result.failed else 0


def _add_metrics(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
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


def _metric_of(name: str, arguments: argparse.Namespace) -> Metric:
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
