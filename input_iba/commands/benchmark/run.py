"""A benchmark from suite to tables: explain by every method, score by every metric, sum up."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from input_iba.commands.benchmark.maps import explain, shared
from input_iba.commands.benchmark.options import BenchmarkOptions
from input_iba.commands.benchmark.report import write_report
from input_iba.commands.benchmark.results import NetworkResult, result_of, wanted
from input_iba.commands.benchmark.suite import Explaining, Network, Suite, chosen
from input_iba.commands.compare.compared import Compared
from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.compare.run import run_compare
from input_iba.errors import EvaluationError, InputIBAError
from input_iba.results import safe_name
from input_iba.run.launchers import terminable
from input_iba.run.lock import locked
from input_iba.run.shell import logging_to, to_file_only

LOG = "benchmark.log"


@dataclass(frozen=True)
class BenchmarkResult:
    """Whether all went well, the table for a terminal, and the page."""

    failed: bool
    text: str
    page: Path


def run_benchmark(suite: Suite, options: BenchmarkOptions) -> BenchmarkResult:
    """Explain and score what is left of a suite, and write its tables after every network.

    Maps lie in `<network>/<method>`, rows in `<network>/compare`: whatever is finished is kept. A
    network that fails, or a method of it, does not stop the others.

    Raises:
        InputIBAError: There is no such network, or another benchmark writes there; nothing has
            been computed.
    """
    suite, asked = chosen(suite, options.networks, options.methods, options.metrics)
    out = options.out or Path("workdirs") / f"benchmark_{suite.name}"
    failures: dict[str, list[str]] = {}
    with locked(out / LOG), terminable():
        for network in asked:
            failures[network.name] = []
            try:
                _compute(network, out / safe_name(network.name), options, failures[network.name])
            # A classifier of the user's own may raise anything; the other networks do not.
            except Exception as error:
                failures[network.name].append(_failure(out, network.name, error))
            finally:  # an interrupted benchmark reports what it has, as partial
                text, page = _report(suite, out, failures)
    return BenchmarkResult(any(failures.values()), text, page)


def _compute(network: Network, root: Path, options: BenchmarkOptions, failures: list[str]) -> None:
    """Explain and score what is left of a network; add to `failures` what goes wrong."""
    methods = _explained(network, root, options, failures)
    if network.ours not in {method.name for method in methods}:
        raise EvaluationError(f"There are no maps of '{network.ours}' to compare with.")
    of_compare = CompareOptions(
        work_dirs=tuple(root / method.run / method.reading for method in methods),
        names=tuple(method.name for method in methods),
        against=network.ours,
        out=root / "compare",
        scores_threshold=network.keys.scores_threshold,
        resume=True,
        **shared(options) | {"precision": options.score_precision},
    )

    def keep(compared: Compared) -> None:
        result_of(network, compared, failures).write(root)

    metrics = [measure.metric for measure in network.measures]
    _say(root.parent, f"{network.name}: {len(methods)} methods, {len(metrics)} metrics")
    result = run_compare(of_compare, metrics, keep)
    if result.failed:
        failures.append(f"{network.name}: {result.failed} scores failed; see {result.page}.")


def _explained(
    network: Network, root: Path, options: BenchmarkOptions, failures: list[str]
) -> list[Explaining]:
    """Explain by each method; return those of which there are maps, ours first."""
    done: dict[str, int] = {}
    for method in network.methods:
        if method.run in done:
            continue
        what = f"{network.name}, {method.run}"
        _say(root.parent, f"{what}:")
        try:
            done[method.run], failed = explain(network, method, root / method.run, options)
        except Exception as error:  # another method's, or its library's
            done[method.run] = 0
            failures.append(_failure(root.parent, what, error))
            continue
        if failed:
            failures.append(f"{what}: {failed} samples failed; see {root / method.run}.")
    found = [method for method in network.methods if done[method.run]]
    return sorted(found, key=lambda method: not method.ours)


def _report(suite: Suite, out: Path, failures: dict[str, list[str]]) -> tuple[str, Path]:
    """Write the tables of all that is known of a suite's networks."""
    results: list[NetworkResult] = []
    missing: list[str] = [line for lines in failures.values() for line in lines]
    for network in suite.networks:
        result = NetworkResult.read(out / safe_name(network.name))
        if result is None:
            missing.append(f"{network.name}: not computed yet.")
            continue
        results.append(result)
        if result.wanted != wanted(network):
            missing.append(f"{network.name}: the table is of an earlier suite.")
        elif not result.complete:
            missing.append(f"{network.name}: not complete yet.")
    return write_report(suite.title, out, results, missing)


def _failure(out: Path, what: str, error: Exception) -> str:
    """Log what went wrong; return it in a sentence."""
    known = isinstance(error, InputIBAError)
    text = f"{what} failed: {error if known else f'{type(error).__name__}: {error}'}"
    details = "" if known else "".join(traceback.format_exception(error))
    _say(out, text, logging.ERROR, details)
    return text


def _say(out: Path, text: str, level: int = logging.INFO, details: str = "") -> None:
    """Log a line to the benchmark's own log and the terminal, details to the log alone."""
    with logging_to(out / LOG) as logger:
        logger.log(level, "%s", text)
        if details:
            to_file_only(details)
