"""The samples of an evaluation, scored by processes of Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from input_iba.commands.evaluate.context import build_scoring
from input_iba.commands.evaluate.loop import Scoring, scored_here
from input_iba.commands.evaluate.options import EvaluationOptions
from input_iba.config.load import RunConfig
from input_iba.errors import EvaluationError
from input_iba.evaluation import Metric
from input_iba.models.hub import Trust
from input_iba.results import Entry
from input_iba.run.launch import Processes
from input_iba.run.on_ray import ATTEMPTS, spread
from input_iba.run.shell import chosen, logging_to


def scored_on_ray(
    config: RunConfig, options: EvaluationOptions, scoring: Scoring, indices: Sequence[int]
) -> Iterator[Entry]:
    """Yield what processes of Ray make of samples, in the order in which they are done.

    Raises:
        ProcessError: As of `spread`.
    """
    work = ScoringWork(config, options, scoring.metric, scoring.identity(), indices, Trust.now())
    for done in spread(work, len(indices), options):
        id_ = scoring.dataset.ids[indices[done.index]]
        reason = f"{ATTEMPTS} processes ended while they scored it, for the memory it takes, say"
        yield Entry(id_, "failed", reason=reason) if done.value is None else done.value


@dataclass(frozen=True)
class ScoringWork:
    """What a process needs to score samples: it is sent, and builds classifier and data there."""

    config: RunConfig
    options: EvaluationOptions
    metric: Metric
    identity: dict[str, Any]
    indices: Sequence[int]
    trust: Trust

    def __call__(self) -> Callable[[int], Entry]:
        """Build, and return what scores the sample of a number.

        Raises:
            InputIBAError: Something is missing on this machine, or is other than where the
                evaluation was started.
        """
        log = self.options.path.with_suffix(f".rank{os.getpid()}.log")
        stack = ExitStack()
        stack.enter_context(logging_to(log, main=False))  # until the process ends
        self.trust.take()
        run = chosen(self.options, Processes(local_rank=0), seed=self.options.seed)
        scoring = build_scoring(self.config, self.options, self.metric, run)
        if scoring.identity() != self.identity:
            raise EvaluationError(
                f"It would not score as the process that started the evaluation: "
                f"{scoring.identity()}, there {self.identity}. Let all machines see the same "
                "files, and give what 'auto' decides, e.g. --precision fp32."
            )

        def score(index: int) -> Entry:
            [entry] = scored_here(scoring, [self.indices[index]])
            return entry

        return score
