"""Run tests against mutants: `python -m tests.reliability.killing [--sample N] [FILE or FOLDER …]`.

The tests are collected once. Each mutant lives in a fork of that process, in which the code of
functions is changed, and runs the tests that reach its lines, the quickest first, until one fails.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TextIO

import hypothesis
import pytest
import torch
from _pytest.runner import runtestprotocol

from tests.reliability.mutants import Mutant, mutants
from tests.reliability.reached import Run, baseline, in_fork, load

ROOT = Path(__file__).parents[2]
ROOMS = ("input_iba/core", "input_iba/evaluation")
_TESTS = ("core", "evaluation", "reference", "commands/evaluate", "attribution", "modality")
TESTS = (*(f"tests/{folder}" for folder in _TESTS), *ROOMS)
"""Where tests are that have most to do with these rooms."""

SURVIVORS = Path(__file__).with_name("survivors.txt")
SECONDS = 60.0
"""Most seconds of tests for one mutant, unless others are asked for."""

HYPOTHESIS: dict[str, Any] = {
    **{"deadline": None, "database": None, "derandomize": True},
    "phases": (hypothesis.Phase.explicit, hypothesis.Phase.generate),
}
"""The same examples for every mutant, which are not made smaller."""


class Killing:
    """A plugin of pytest that runs tests against mutants in place of running them once.

    Attributes:
        found: What became of each mutant, in the words of its line of the file of results.
    """

    def __init__(
        self,
        files: Sequence[Path],
        sample: int | None,
        seed: int,
        out: TextIO,
        again: Collection[str],
        most: float,
    ) -> None:
        self.most = most
        self.names = frozenset(map(str, files))
        self.again = again
        self.sample = sample
        self.seed = seed
        self.out = out
        self.found: list[dict[str, Any]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try the mutants on the tests that were collected."""
        hypothesis.settings.register_profile("mutants", **HYPOTHESIS)
        hypothesis.settings.load_profile("mutants")
        runs, modules = in_fork(lambda: baseline(session.items, self.names), 3600)
        for name in sorted({*modules, *map(_module, self.names)}):
            load(name)
        living = _living(self.names)
        gc.freeze()
        order = [index for index, run in enumerate(runs) if run.passed]
        order.sort(key=lambda index: runs[index].seconds)
        print(f"{len(order)} of {len(runs)} tests pass, in {sum(r.seconds for r in runs):.0f} s")
        for mutant in self._mutants():
            begun = time.perf_counter()
            tests, seconds = _tests_of(mutant, runs, order, self.most)
            chosen = [session.items[index] for index in tests]
            outcome = in_fork(lambda: _outcome(mutant, living, chosen), 30 + 5 * seconds)  # noqa: B023
            self._keep(mutant, outcome or "dies", len(tests), time.perf_counter() - begun)
        return True

    def _mutants(self) -> list[Mutant]:
        made = [each for file in sorted(self.names) for each in mutants(Path(file))]
        if self.again:
            return [each for each in made if name_of(each) in self.again]
        if self.sample is None:
            return made
        return random.Random(self.seed).sample(made, min(self.sample, len(made)))

    def _keep(self, mutant: Mutant, outcome: str, tests: int, seconds: float) -> None:
        what = {"mutant": name_of(mutant), "line": mutant.lines[0], "outcome": outcome}
        self.found.append({**what, "tests": tests, "seconds": round(seconds, 2)})
        print(json.dumps(self.found[-1], ensure_ascii=False), file=self.out, flush=True)


def name_of(mutant: Mutant) -> str:
    """Return file, function and change in one line."""
    change = " ".join(mutant.change.split())
    return f"{Path(mutant.file).relative_to(ROOT)}: {mutant.function}: {change}"


def survivors(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the mutants that no test notices."""
    return [str(each["mutant"]) for each in found if each["outcome"] == "survives"]


def _module(name: str) -> str:
    parts = Path(name).relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


Place = tuple[str, str, int]


def _living(names: frozenset[str]) -> dict[Place, list[FunctionType]]:
    """Return all functions of some files, by file, name and line."""
    found = defaultdict(list)
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename in names:
            code = each.__code__
            found[code.co_filename, code.co_name, code.co_firstlineno].append(each)
    return found


def _tests_of(
    mutant: Mutant, runs: Sequence[Run], order: Sequence[int], most: float
) -> tuple[list[int], float]:
    """Return which tests run the mutant's lines, and the seconds that they take."""
    lines = {(mutant.file, line) for line in range(mutant.lines[0], mutant.lines[1] + 1)}
    tests, total = [], 0.0
    for index in order:
        if not lines.isdisjoint(runs[index].lines) and total + runs[index].seconds < most:
            tests.append(index)
            total += runs[index].seconds
    return tests, total


def _outcome(
    mutant: Mutant, living: dict[Place, list[FunctionType]], tests: Sequence[pytest.Item]
) -> str:
    """Put a mutant in place and run tests until one fails; return its name, or 'survives'."""
    changed = 0
    try:
        for code in _codes(mutant.code):
            for function in living.get((mutant.file, code.co_name, code.co_firstlineno), ()):
                function.__code__ = code
                changed += 1
    except ValueError:  # it uses other variables of the function around it
        changed = 0
    if not changed:
        return "unfit"
    for place, item in enumerate(tests):
        following = tests[place + 1] if place + 1 < len(tests) else None
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return item.nodeid
    return "survives"


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Return the code of all functions in some code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def main() -> None:
    """Read the arguments, try the mutants, print what tests notice, and keep it as evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / room for room in ROOMS])
    parser.add_argument("--sample", type=int, help="how many mutants, drawn at random; all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="most, of one's tests")
    parser.add_argument("--again", type=Path, help="results: only what survived there")
    parser.add_argument("--tests", nargs="+", default=TESTS)
    parser.add_argument("--out", type=Path, default=ROOT / "build/mutants.jsonl")
    given = parser.parse_args()
    files = [file.resolve() for path in given.paths for file in _files(path)]
    given.out.parent.mkdir(exist_ok=True)
    torch.set_num_threads(1)  # of more threads a fork has but one
    earlier = given.again.read_text(encoding="utf-8").splitlines() if given.again else []
    again = frozenset(survivors(map(json.loads, earlier)))
    with given.out.open("w", encoding="utf-8") as out:
        plugin = Killing(files, given.sample, given.seed, out, again, given.seconds)
        options = ("-m", "not slow and not data", "--tb=native", "-p", "no:cacheprovider")
        status = pytest.main([*given.tests, *options, "-W", "ignore"], plugins=[plugin])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not plugin.found:
        sys.exit(int(status) or 1)
    for line in told(plugin.found, given.sample):
        print(f"{line['tried']}: {line['outcome']}")
        if evidence := os.environ.get("INPUT_IBA_EVIDENCE"):
            with Path(evidence).open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def told(found: Sequence[Mapping[str, Any]], sample: int | None) -> Iterator[dict[str, Any]]:
    """Return lines of evidence: how many mutants tests notice, and each that they do not."""
    reasons = dict(
        line.rsplit(" # ", 1) for line in SURVIVORS.read_text(encoding="utf-8").splitlines()
    )
    for room in ROOMS:
        counted = [m for m in found if m["mutant"].startswith(room) and m["outcome"] != "unfit"]
        left = survivors(counted)
        if not counted:
            continue
        share = 100 * (1 - len(left) / len(counted))
        drawn = "" if sample is None else ", drawn at random"
        what: dict[str, Any] = {
            "section": "Mutants",
            "tried": f"changes of single expressions in `{room}`{drawn}",
        }
        outcome = f"tests notice {len(counted) - len(left)}, {share:.1f} %"
        yield {**what, "count": len(counted), "outcome": outcome, "mended": ""}
        for name in left:
            what = {"section": "Mutants that no test notices", "tried": f"`{name}`", "count": 1}
            yield {**what, "outcome": reasons.get(name, "not looked at"), "mended": ""}


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


if __name__ == "__main__":
    main()
