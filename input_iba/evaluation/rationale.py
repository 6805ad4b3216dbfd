"""Comprehensiveness and sufficiency: what the hottest words take along, and can do alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.curves import rounded
from input_iba.evaluation.insertion_deletion import order
from input_iba.evaluation.replacement import replace_setting
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart
    from input_iba.modality.units import TextClassify, Units

BINS = (1, 5, 10, 20, 50)
"""Percent of the words that count as the hottest, as ERASER has it."""


@dataclass(frozen=True)
class Rationales:
    """What the target's probability loses in S texts; float64, on the CPU.

    Attributes:
        without: Loss when the hottest words are hidden, for each of B bins, (S, B).
        alone: Loss when all but the hottest words are hidden, (S, B).
    """

    without: Tensor
    alone: Tensor

    @property
    def comprehensiveness(self) -> Tensor:
        """Mean of `without` over the bins, (S,), in [−1, 1]; higher is better."""
        return self.without.mean(1)

    @property
    def sufficiency(self) -> Tensor:
        """Mean of `alone` over the bins, (S,), in [−1, 1]; lower is better."""
        return self.alone.mean(1)


def bin_counts(words: Tensor, bins: Sequence[int]) -> Tensor:
    """Return how many words are the hottest, of `words` (S,) in each of B bins: (S, B), int64.

    A bin of q percent has ⌊q·words / 100⌋ of them, but at least one.

    >>> import torch
    >>> bin_counts(torch.tensor([150, 30]), (1, 5, 50))
    tensor([[ 1,  7, 75],
            [ 1,  1, 15]])
    """
    import torch

    return (words[:, None] * torch.tensor(bins) // 100).clamp(min=1)


def rationale_scores(
    units: Units,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    bins: Sequence[int] = BINS,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
) -> Rationales:
    """Score S maps by what the classifier says without the hottest units, and of them alone.

    With m(x) the probability of the target, and r_q the hottest q percent of the words, the mean of
    m(x) − m(x∖r_q) over the bins q is the comprehensiveness, that of m(x) − m(r_q) the sufficiency.
    The paper's equation counts an empty bin, too, and so divides by one more.

    Args:
        units: Of S inputs; what becomes of hidden ones is theirs to say.
        heats: (S, T); only their order counts, with ties as in `ranks`.
        targets: Class indices, (S,).
        bins: Percent of the units, 1 to 100 each.
        internal_batch_size: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, a target is not a class, or a bin
            is out of its range.

    References:
        DeYoung et al. 2020, "ERASER" (arXiv 1911.03429), section 4.3, with its AOPC.
    """
    import torch

    from input_iba.evaluation.hiding import follow

    if not bins or not all(1 <= percent <= 100 for percent in bins):
        raise EvaluationError(
            f"Bins are percentages of the words, at least one of them and each from 1 to 100; got "
            f"{tuple(bins)!r}."
        )
    labels = units.check(heats, targets)
    places, words = order(units, heats)
    counts = bin_counts(words, bins)
    whole = torch.zeros(len(counts), 1, dtype=torch.int64)  # nothing is hidden yet
    without, alone = (
        follow(units, places, hottest, labels, internal_batch_size, use_softmax, revealing)
        for hottest, revealing in ((torch.cat([whole, counts], 1), False), (counts, True))
    )
    full = without[:, :1]
    return Rationales(full - without[:, 1:], full - alone)


def text_rationale(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    scored: Tensor,
    **options: Any,
) -> Rationales:
    """Score texts; arguments as of `text_insertion_deletion`, options of `rationale_scores`."""
    from input_iba.modality.units import Words

    units = Words(classify, tokens, scored.to(tokens.device))
    return rationale_scores(units, heats, targets, **options)


@dataclass(frozen=True)
class RationaleMetric(Metric):
    """Comprehensiveness and sufficiency of the hottest words."""

    name: ClassVar[str] = "rationale"
    description: ClassVar[str] = (
        "Measure what the target loses without the hottest words of a text, and with them alone."
    )
    higher_is_better: ClassVar = {"comprehensiveness": True, "sufficiency": False}
    kind: ClassVar = "texts"

    bins: tuple[int, ...] = setting(
        BINS, "percent of the words that are the hottest", at_least=1, at_most=100, metavar="Q"
    )
    replace: str = replace_setting("zero")

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        def score(case: ScoredSample) -> Row:
            found = rationale_scores(
                context.units(case.sample, self.replace),
                case.heat[None],
                [case.target],
                self.bins,
                context.internal_batch_size(case.sample),
                context.use_softmax,
            )
            return {
                "comprehensiveness": found.comprehensiveness.item(),
                "sufficiency": found.sufficiency.item(),
                "without": rounded(found.without[0]),
                "alone": rounded(found.alone[0]),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean losses over the bins."""
        from input_iba.drawing import Chart, mean_line

        shares = [percent / 100 for percent in self.bins]
        labels = {"without": "without them, higher is better", "alone": "alone, lower is better"}
        lines = [
            mean_line(label, shares, [row[key] for row in rows]) for key, label in labels.items()
        ]
        title = f"Loss of the target's probability ({self.replace}), mean of {len(rows)} samples"
        return Chart(title, "share of the words that are the hottest", "loss", lines)


@dataclass(frozen=True)
class MaskRationaleMetric(RationaleMetric):
    """The same, with a mask token in the place of words."""

    name: ClassVar = "rationale_mask"
    description: ClassVar = "The same as rationale, with mask tokens for words."
    replace: str = replace_setting("mask", fixed=True)


@dataclass(frozen=True)
class RemoveRationaleMetric(RationaleMetric):
    """The same, with words taken out of the text."""

    name: ClassVar = "rationale_remove"
    description: ClassVar = "The same as rationale, with words taken out of the text."
    replace: str = replace_setting("remove", fixed=True)
