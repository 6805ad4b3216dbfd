"""Insertion and deletion of words, by what becomes of the words that are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from input_iba.evaluation.insertion_deletion import SIGMA, STEP, OrderMetric
from input_iba.evaluation.replacement import replace_setting
from input_iba.settings import setting


@dataclass(frozen=True)
class NLPInsertionDeletionMetric(OrderMetric):
    """Target probability while words appear and disappear, hottest first."""

    name: ClassVar[str] = "nlp_insertion_deletion"
    description: ClassVar[str] = (
        "Measure how fast the target appears and disappears with the hottest words of a text."
    )
    kind: ClassVar = "texts"
    x_label: ClassVar[str] = "share of the words changed"
    title: ClassVar[str] = "Insertion and deletion of words ({replace})"

    sigma: float = setting(5.0, SIGMA, at_least=0, changes_result=False)
    pixel_batch_size: int = setting(2, STEP, at_least=1)
    max_fraction: float = setting(
        1.0, "share of the words that are changed at the most; published: 0.4", above=0, at_most=1
    )
    replace: str = replace_setting("zero")


@dataclass(frozen=True)
class MaskInsertionDeletionMetric(NLPInsertionDeletionMetric):
    """The same, with a mask token in the place of words."""

    name: ClassVar = "nlp_insertion_deletion_mask"
    description: ClassVar = "The same as nlp_insertion_deletion, with mask tokens for words."
    replace: str = replace_setting("mask", fixed=True)


@dataclass(frozen=True)
class RemoveInsertionDeletionMetric(NLPInsertionDeletionMetric):
    """The same, with words taken out of the text."""

    name: ClassVar = "nlp_insertion_deletion_remove"
    description: ClassVar = "The same as nlp_insertion_deletion, with words taken out of the text."
    replace: str = replace_setting("remove", fixed=True)
