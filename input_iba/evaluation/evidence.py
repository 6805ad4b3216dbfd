"""Evidence: whether the heat of words is where people saw what speaks for the class.

All functions take maps (S, T) and which words are evidence, (S, T), bool, and return float64 values
(S,). They raise an EvaluationError where shapes differ, a heat is not finite, or no word, or every
word, of a text is evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart


def average_precision(heats: Tensor, evidence: Tensor) -> Tensor:
    """Return the area under precision over recall as a sum of steps, in (0, 1].

    AP = Σₙ (Rₙ − Rₙ₋₁) Pₙ over the thresholds n, from the hottest on: each value of the map is one,
    so that words of equal heat are found together, in no order. A map of one value gets the share
    of evidence.

    References:
        DeYoung et al. 2020, "ERASER" (arXiv 1911.03429), section 4.2, AUPRC; the sum of steps is
        `sklearn.metrics.average_precision_score`'s.
    """
    import torch

    found, hot, marked = _found(heats, evidence)
    # A word adds its step at the threshold that its own heat is.
    return torch.where(marked, found / hot, 0).sum(1) / marked.sum(1)


def token_f1(heats: Tensor, evidence: Tensor) -> Tensor:
    """Return the F1 score of the k hottest words, of which k are evidence, in [0, 1].

    Precision, recall and F1 are then the same. Where words of equal heat compete for the last
    places, it is the mean over all their orders.

    References:
        DeYoung et al. 2020 (arXiv 1911.03429), section 4.2, token F1, with each text's own k.
    """
    from input_iba.evaluation.ranks import expected_inside

    marked = _checked(heats, evidence)
    counts = marked.sum(1)
    return expected_inside(heats.double(), marked, counts) / counts


def best_f1(heats: Tensor, evidence: Tensor) -> Tensor:
    """Return the F1 score at the threshold where it is highest, in (0, 1].

    F1 is 2·hits / (hot words + words of evidence).
    """
    found, hot, marked = _found(heats, evidence)
    return (2 * found / (hot + marked.sum(1, keepdim=True))).amax(1)


def chance(heats: Tensor, evidence: Tensor) -> Tensor:
    """Return the share of evidence, which `average_precision` of maps without meaning comes to."""
    return _checked(heats, evidence).double().mean(1)


def smoothed_over(heats: Tensor, words: int) -> Tensor:
    """Return maps (S, T) whose values are the mean over so many words in a row, float64.

    The word stands in their middle, or before it where they are even in number. At the ends there
    are fewer words. 0 and 1 leave the maps as they are.

    >>> import torch
    >>> smoothed_over(torch.tensor([[0.0, 6.0, 0.0, 0.0]]), 3)
    tensor([[3., 2., 2., 0.]], dtype=torch.float64)
    """
    import torch

    if words < 0:
        raise EvaluationError(f"Maps are smoothed over a number of words, ≥ 0; got {words!r}.")
    heats = heats.double()
    if words < 2:
        return heats
    places = torch.arange(heats.shape[1], device=heats.device)
    distance = places[None] - places[:, None]
    near = ((distance >= -((words - 1) // 2)) & (distance <= words // 2)).double()
    return heats @ (near / near.sum(1, keepdim=True)).T


def _found(heats: Tensor, evidence: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return, by the threshold that each word's heat is, hits and hot words; and the evidence."""
    marked = _checked(heats, evidence)
    values = heats.double()
    hot = values[:, None, :] >= values[:, :, None]  # (S, threshold, T)
    return (hot & marked[:, None]).sum(2).double(), hot.sum(2).double(), marked


def _checked(heats: Tensor, evidence: Tensor) -> Tensor:
    """Return which words are evidence, (S, T), where the maps are."""
    if heats.ndim != 2 or heats.shape != evidence.shape:
        raise EvaluationError(
            "Expected maps and evidence of the same words, (S, T) each; got "
            f"{tuple(heats.shape)} and {tuple(evidence.shape)}."
        )
    if not bool(heats.isfinite().all()):
        raise EvaluationError(
            "A word's heat is NaN or infinite, which has no rank. Leave the text out, or explain "
            "it again."
        )
    marked = (evidence != 0).to(heats.device)
    useless = marked.all(1) | ~marked.any(1)
    if bool(useless.any()):
        raise EvaluationError(
            f"Of the texts at {useless.nonzero().flatten().tolist()} no word or every word is "
            "evidence, so that nothing tells maps apart. Leave these texts out."
        )
    return marked


@dataclass(frozen=True)
class EvidenceMetric(Metric):
    """Whether the hottest words are those that people marked."""

    name: ClassVar = "evidence"
    description: ClassVar = (
        "Compare hot words with the evidence that people marked for the class of a text."
    )
    higher_is_better: ClassVar = {
        "average_precision": True,
        "token_f1": True,
        "best_f1": True,
        "chance": None,
    }
    kind: ClassVar = "texts"

    smooth: int = setting(
        0, "words in a row over which a map is averaged first: people mark phrases", at_least=0
    )

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        def score(case: ScoredSample) -> Row | str:
            marked = marked_words(case)
            if isinstance(marked, str):
                return marked
            heat = smoothed_over(case.heat[None], self.smooth)
            measures = (average_precision, token_f1, best_f1, chance)
            return {of.__name__: of(heat, marked[None]).item() for of in measures}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each value."""
        from input_iba.drawing import Chart, share_line

        lines = [
            share_line(label, [row[key] for row in rows])
            for label, key in (
                ("average precision", "average_precision"),
                ("F1 of as many words as are evidence", "token_f1"),
                ("share of evidence, which is chance", "chance"),
            )
        ]
        title = f"Agreement with human evidence of {len(rows)} texts"
        return Chart(title, "value, higher is better", "share of samples at least so high", lines)


def marked_words(case: ScoredSample) -> Tensor | str:
    """Return which words of a text are evidence, (T,), bool; or why it is left out."""
    import torch

    from input_iba.records import TextSample

    sample = case.sample
    evidence = sample.evidence if isinstance(sample, TextSample) else None
    if evidence is None:
        return "the data set has no human evidence"
    if sample.target is not None and case.target != sample.target:
        return "explained for another class than the one that the evidence is of"
    if all(evidence) or not any(evidence):
        return f"{'every' if any(evidence) else 'no'} word is evidence"
    return torch.tensor(evidence)
