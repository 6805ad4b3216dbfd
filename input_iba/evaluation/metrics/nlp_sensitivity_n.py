"""Sensitivity-N of words as an evaluation command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from input_iba.evaluation import random_words, text_logit_drops
from input_iba.evaluation.base import Case, Setting
from input_iba.evaluation.metrics.sensitivity_n import SensitivityNMetric
from input_iba.evaluation.metrics.words import by_words


@dataclass(frozen=True)
class NLPSensitivityNMetric(SensitivityNMetric):
    """Correlation of summed attribution and what removing the words costs, for every N."""

    name: ClassVar = "nlp_sensitivity_n"
    texts: ClassVar = True
    units: ClassVar = "words"

    def draw(self, size: tuple[int, ...], n: int, seed: int) -> Tensor:
        """Return random sets of n of W words, (M, W)."""
        return random_words(torch.ones(size, dtype=torch.bool), n, self.num_masks, seed)

    def drops(self, setting: Setting, case: Case, sets: Tensor) -> Tensor:
        """Return what the target's logit loses without each of some sets (M, W), (1, M)."""
        classify, words = by_words(setting, case)
        rows = setting.rows(case.sample.input)
        return text_logit_drops(classify, words, [case.target], sets[None], rows)
