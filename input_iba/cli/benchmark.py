"""The command `benchmark`."""

from __future__ import annotations

import argparse

from input_iba.cli.options import add_options, add_trust, from_arguments
from input_iba.cli.run import FAILED, print_text
from input_iba.commands.benchmark.options import BenchmarkOptions
from input_iba.config.shipped import shipped_suites

BENCHMARK = (
    "Explain the samples of a suite's networks by every method, score all maps by every metric, "
    "and write BENCHMARK.md and benchmark.html: means with 95 % intervals, significance, mean "
    "ranks, passes and seconds, and where our method loses. What is finished is kept: give the "
    "same command again to go on, also with more methods or metrics in the suite."
)
STATUS = (
    "exit status: 0 everything explained and scored, 1 something failed (the tables say what), 2 "
    "the suite or an option is wrong, 130 interrupted"
)


def set_up_benchmark(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of `input-iba benchmark`."""
    parser.description, parser.epilog = BENCHMARK, STATUS
    add_trust(parser)
    parser.add_argument(
        "suite", metavar="SUITE", help=f"file of a suite, or one of {', '.join(shipped_suites())}"
    )
    add_options(parser, BenchmarkOptions)
    parser.set_defaults(command=_benchmark)


def _benchmark(arguments: argparse.Namespace) -> int:
    from input_iba.commands.benchmark.run import run_benchmark
    from input_iba.commands.benchmark.suite import load_suite

    suite = load_suite(arguments.suite)
    result = run_benchmark(suite, from_arguments(BenchmarkOptions, arguments))
    print_text(result.text)
    print_text(f"\nResult: {result.page}")
    return FAILED if result.failed else 0
