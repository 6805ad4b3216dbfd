"""Bits for absent classes: does a map say that there is no evidence where there is none?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Row, Score, ScoredSample
from input_iba.evaluation.repeatability import RepeatingMetric
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart

MIN_SEPARATION = 0.9
"""Separation from which the check is passed."""


def separation(present: Sequence[float], absent: Sequence[float]) -> float:
    """Return how likely a value of the first is the higher one of a pair, ties counting half.

    It is the area under the curve of true over false positives, as a threshold moves.

    Raises:
        EvaluationError: There is no value of one of them.

    References:
        Hanley and McNeil 1982, "The meaning and use of the area under a receiver operating
        characteristic (ROC) curve" (Radiology 143), equation 1.

    >>> separation([2, 3], [1, 2])
    0.875
    """
    import numpy as np

    if not present or not absent:
        raise EvaluationError(
            f"Separation needs values of both; got {len(present)} and {len(absent)}."
        )
    differences = np.subtract.outer(np.asarray(present), np.asarray(absent))
    return float(((np.sign(differences) + 1) / 2).mean())


def absent_classes(probabilities: Tensor, how: str, count: int, seed: str) -> list[int]:
    """Return classes that an input does not show, by the probabilities (classes,) of all.

    They are the least probable ones, or drawn by a seed among those that are less probable than
    the same for all classes would be; never the most probable. There may be fewer than `count`.

    >>> import torch
    >>> absent_classes(torch.tensor([0.7, 0.2, 0.06, 0.04]), "least", 2, "0")
    [3, 2]
    """
    ordered = probabilities.argsort(stable=True).tolist()
    if how == "least":
        return ordered[:-1][:count]
    few = [i for i in ordered[:-1] if probabilities[i] < 1 / len(ordered)]
    return random.Random(seed).sample(few, min(count, len(few)))


@dataclass(frozen=True)
class AbsentClassMetric(RepeatingMetric):
    """How many bits a map has for the predicted class, and for classes that are not there."""

    name: ClassVar = "absent_class"
    description: ClassVar = (
        "Explain the predicted class and absent ones, and compare the sums of their maps."
    )
    higher_is_better: ClassVar = {
        "difference": True,
        "separated": True,
        "present": None,
        "absent": None,
    }
    kind: ClassVar = None

    absent: Literal["least", "random"] = setting(
        "least",
        "which classes count as absent: the least probable, or random ones that are less probable "
        "than 1 / classes",
    )
    n_absent: int = setting(1, "absent classes of each sample", at_least=1)

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.core.targets import probabilities
        from input_iba.evaluation.explain_again import repeated

        again = repeated(context, self.mask, self.n_estimation, self.method)

        def bits(case: ScoredSample, target: int) -> float:
            found = again(replace(case, target=target), case.sample.input, context.seed)
            return found.clamp(min=0).sum().item()

        def score(case: ScoredSample) -> Row | str:
            [sure] = probabilities(context.classify(case.sample.input[None]), context.use_softmax)
            predicted, seed = int(sure.argmax()), f"{context.seed}/{case.sample.id}"
            classes = absent_classes(sure.cpu(), self.absent, self.n_absent, seed)
            if not classes:
                return "no class is absent"
            present = bits(case, predicted)
            absent = [bits(case, target) for target in classes]
            return {
                "difference": present - fmean(absent),
                "separated": separation([present], absent),
                "present": present,
                "absent": fmean(absent),
                "predicted": predicted,
                "absent_classes": classes,
                "absent_all": absent,
            }

        return score

    def verdict(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return whether one threshold of bits tells predicted classes from absent ones."""
        present = [row["present"] for row in rows]
        found = separation(present, [bits for row in rows for bits in row["absent_all"]])
        return {
            "passes": found >= MIN_SEPARATION,
            "rule": "the area under the ROC curve, by which bits tell predicted from absent "
            f"classes over all samples, must be at least {MIN_SEPARATION:g} (it is {found:.3f})",
            "auroc": found,
            "threshold": MIN_SEPARATION,
        }

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that has so many bits for either."""
        from input_iba.drawing import Chart, share_line

        lines = [
            share_line("predicted class", [row["present"] for row in rows]),
            share_line("absent classes", [row["absent"] for row in rows]),
        ]
        title = f"Sums of maps of {len(rows)} samples; AUROC {self.verdict(rows)['auroc']:.3f}"
        return Chart(title, "sum of the map", "share of samples at least so high", lines)
