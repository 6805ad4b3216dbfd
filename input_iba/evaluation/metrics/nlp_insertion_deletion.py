"""Insertion and deletion of words as an evaluation command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.errors import EvaluationError
from input_iba.evaluation import text_insertion_deletion
from input_iba.evaluation.base import Case, Setting, check_at_least
from input_iba.evaluation.metrics.insertion_deletion import InsertionDeletionMetric
from input_iba.evaluation.metrics.two_curves import Curves, TwoCurvesMetric
from input_iba.evaluation.metrics.words import by_words


@dataclass(frozen=True)
class NLPInsertionDeletionMetric(TwoCurvesMetric):
    """Target probability while words appear and disappear, hottest first.

    Attributes:
        pixel_batch_size: Words per step.
        max_fraction: Share of the words that are changed at the most, in (0, 1].
    """

    name: ClassVar = "nlp_insertion_deletion"
    texts: ClassVar = True
    higher_is_better: ClassVar = InsertionDeletionMetric.higher_is_better
    labels: ClassVar = InsertionDeletionMetric.labels
    x_label: ClassVar = "share of the words changed"

    pixel_batch_size: int = 2
    max_fraction: float = 1.0

    def __post_init__(self) -> None:
        check_at_least("--pixel-batch-size", self.pixel_batch_size, 1)
        if not 0 < self.max_fraction <= 1:
            raise EvaluationError(f"--max-fraction must be in (0, 1]; got {self.max_fraction!r}.")

    def measure(self, setting: Setting, case: Case) -> tuple[Tensor, Curves]:
        """Return shares, and curve and area of insertion and of deletion."""
        classify, words = by_words(setting, case)
        found = text_insertion_deletion(
            *(classify, words, case.heat[None], [case.target]),
            scored=torch.ones_like(words, dtype=torch.bool),
            pixel_batch_size=self.pixel_batch_size,
            max_fraction=self.max_fraction,
            rows=setting.rows(case.sample.input),
            use_softmax=setting.use_softmax,
        )
        insertion = (found.insertion[0], found.insertion_auc.item())
        return found.shares[0], [insertion, (found.deletion[0], found.deletion_auc.item())]

    def title(self) -> str:
        """Return what stands above the chart."""
        return "Insertion and deletion of words"
