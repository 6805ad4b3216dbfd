"""Sensitivity-N: whether a map's sums over sets of units foretell what removing them costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.sets import random_sets, set_sizes
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart
    from input_iba.modality.units import Classify, TextClassify, Units


@dataclass(frozen=True)
class SensitivityN:
    """What S maps foretell and what happens, for M sets of N units; float64, on the CPU.

    Attributes:
        correlation: Pearson's correlation of sums and drops, (S,), in [−1, 1]; higher is better.
            It is 0 where the sums or the drops are all the same.
        sums: Attribution summed over every set, (S, M).
        drops: What the logit of the target loses when the set is hidden, (S, M).
    """

    correlation: Tensor
    sums: Tensor
    drops: Tensor


def sum_and_drop(
    units: Units,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> SensitivityN:
    """Correlate summed attribution with the drop of the target's logit.

    Args:
        units: Of S inputs.
        heats: (S, H, W), or (S, T) of texts, signed or not.
        targets: Class indices, (S,); of one logit l, 1 has the logit l and 0 the logit −l.
        sets: Units that are hidden, true inside: (M, H, W) or (M, T) for all samples, or as many
            for each, (S, M, …).
        internal_batch_size: Inputs that the classifier sees at once; samples and sets share a
            pass.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is not a class.

    References:
        Ancona et al. 2018, "Towards better understanding of gradient-based attribution methods
        for deep neural networks" (arXiv 1711.06104), section 4.
    """
    units.check(heats, targets)
    drops = drops_without(units, targets, sets, internal_batch_size)
    chosen = (sets != 0).flatten(-len(units.size)).to(heats.device)
    heats = heats.flatten(1).masked_fill(~units.scored.to(heats.device), 0)
    return correlated(drops, chosen, heats)


def drops_without(
    units: Units, targets: Tensor | Sequence[int], sets: Tensor, internal_batch_size: int = 32
) -> Tensor:
    """Return what the target's logit loses without each set, (S, M), float64, on the CPU.

    It does not depend on any map, so that one is enough for all maps of the same samples. The
    arguments and what is raised are those of `sum_and_drop`.
    """
    import torch

    from input_iba.evaluation.hiding import target_scores

    samples, size, device = len(units.inputs), units.size, units.inputs.device
    labels = torch.as_tensor(targets, dtype=torch.int64).to(device)
    of_all = sets.ndim == len(size) + 1
    fits = of_all or (sets.ndim == len(size) + 2 and len(sets) == samples)
    if tuple(sets.shape[-len(size) :]) != size or not fits or labels.shape != (samples,):
        raise EvaluationError(
            f"Expected one target each, and sets of {units.name} (M, {', '.join(map(str, size))}), "
            f"or {samples} of these; got {tuple(labels.shape)} and {tuple(sets.shape)}."
        )
    chosen = (sets != 0).flatten(-len(size)).to(device)

    def nothing(of: Tensor, step: Tensor) -> Tensor:
        return chosen.new_zeros(len(of), chosen.shape[-1])

    def a_set(of: Tensor, step: Tensor) -> Tensor:
        return chosen[step] if of_all else chosen[of, step]

    whole = target_scores(units, nothing, 1, labels, internal_batch_size)
    return whole - target_scores(units, a_set, chosen.shape[-2], labels, internal_batch_size)


def correlated(drops: Tensor, sets: Tensor, heats: Tensor) -> SensitivityN:
    """Compare what sets of units foretell with what hiding them costs.

    Sets are (M, U) or (S, M, U), bool, heats (S, U) where the sets are; what the target's logit
    loses without each set are `drops`, (S, M), on the CPU.
    """
    from input_iba.core.correlation import pearson

    sums = (sets.double() @ heats.double()[..., None])[..., 0].cpu()
    return SensitivityN(pearson(sums, drops), sums, drops)


def sensitivity_n(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> SensitivityN:
    """Correlate for images (S, C, H, W), whose pixels become 0; see `sum_and_drop`."""
    from input_iba.modality.units import Pixels

    return sum_and_drop(Pixels(classify, inputs), heats, targets, sets, internal_batch_size)


def text_sensitivity_n(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> SensitivityN:
    """Correlate for texts, whose words lose their embedding; see `sum_and_drop`.

    The first arguments are those of `text_insertion_deletion`; what stands in `heats` at positions
    in no set does not matter. `sets` are positions, (M, T) or (S, M, T).
    """
    import torch

    from input_iba.modality.units import Words

    words = Words(classify, tokens, torch.ones_like(tokens, dtype=torch.bool))
    drops = drops_without(words, targets, sets, internal_batch_size)
    used = sets.any(-2).expand_as(tokens)
    replace(words, scored=used.to(tokens.device)).check(heats, targets)
    used, sets = used.to(heats.device), sets.to(heats.device)
    return correlated(drops, sets, heats.masked_fill(~used, 0))


def logit_drops(
    classify: Classify,
    inputs: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    internal_batch_size: int = 32,
) -> Tensor:
    """Return what the logits of images lose, (S, M); see `drops_without`."""
    from input_iba.modality.units import Pixels

    return drops_without(Pixels(classify, inputs), targets, sets, internal_batch_size)


@dataclass(frozen=True)
class SensitivityNMetric(Metric):
    """Correlation of summed attribution and what removing the units costs, for every N."""

    name: ClassVar[str] = "sensitivity_n"
    description: ClassVar[str] = (
        "Correlate summed attribution with what removing random pixels costs."
    )
    higher_is_better: ClassVar = {"correlation": True}
    units: ClassVar[str] = "pixels"

    log_n_max: float = setting(
        4.5, "largest log10 of N, which stays below the number of pixels or words", at_least=0
    )
    log_n_ticks: float = setting(0.1, "distance of two log10 of N", above=0)
    num_masks: int = setting(100, "sets of each N", at_least=2, metavar="M")

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        # The same sets for all samples of a size; drawing costs as much as a small network.
        @lru_cache(maxsize=8)
        def sets_of(size: tuple[int, ...]) -> dict[int, Tensor]:
            sizes = set_sizes(math.prod(size), self.log_n_max, self.log_n_ticks)
            return {n: random_sets(size, n, self.num_masks, context.seed) for n in sizes}

        lost: dict[tuple[str, int], dict[int, Tensor]] = {}

        def lost_by(case: ScoredSample, sets: dict[int, Tensor]) -> dict[int, Tensor]:
            # It does not depend on the map: methods that are compared share it.
            key, sample = (case.sample.id, case.target), case.sample
            if key not in lost:
                units, size = context.units(sample), context.internal_batch_size(sample)
                lost[key] = {
                    n: drops_without(units, [case.target], of_n, size) for n, of_n in sets.items()
                }
            return lost[key]

        def score(case: ScoredSample) -> Row | str:
            if case.heat.numel() < 2:
                return f"fewer than two {self.units}"
            sets = sets_of(tuple(case.heat.shape))
            heat = case.heat.flatten()[None]
            correlations = {
                str(n): correlated(drops, sets[n].flatten(1), heat).correlation.item()
                for n, drops in lost_by(case, sets).items()
            }
            mean = sum(correlations.values()) / len(correlations)
            return {"correlation": mean, "correlations": correlations}

        return score

    def values(self, row: Row) -> dict[str, float]:
        """Return the mean over all N, and the correlation of every N."""
        return {"correlation": row["correlation"], **row["correlations"]}

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean correlation over N."""
        from input_iba.drawing import Chart, mean_line

        shared = [n for n in rows[0]["correlations"] if all(n in r["correlations"] for r in rows)]
        values = [[row["correlations"][n] for n in shared] for row in rows]
        lines = [mean_line("higher is better", [float(n) for n in shared], values)]
        title = f"Sensitivity-N, mean of {len(rows)} samples"
        return Chart(title, f"N, {self.units} of a set", "correlation", lines, log_x=True)


@dataclass(frozen=True)
class NLPSensitivityNMetric(SensitivityNMetric):
    """The same of words."""

    name: ClassVar[str] = "nlp_sensitivity_n"
    description: ClassVar[str] = (
        "Correlate summed attribution with what removing random words costs."
    )
    kind: ClassVar = "texts"
    units: ClassVar[str] = "words"
