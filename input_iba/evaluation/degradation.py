"""Degradation: what the target loses tile by tile, most relevant tiles first and least first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.evaluation.tiles import tile_ranks
from input_iba.evaluation.two_curves import Curves, TwoCurvesMetric
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.modality.units import Classify


@dataclass(frozen=True)
class Degradations:
    """Scores of S maps before the first tile and after each, and the areas under them.

    Attributes:
        shares: Share of the tiles removed after every step, (T,), 0 to 1; float64, on the CPU, as
            all that follows.
        morf: Target probability, most relevant tiles first, (S, T).
        lerf: Target probability, least relevant tiles first, (S, T).
        morf_auc: Area under `morf` by the trapezoid rule, (S,); lower is better.
        lerf_auc: Area under `lerf`, (S,); higher is better.
    """

    shares: Tensor
    morf: Tensor
    lerf: Tensor
    morf_auc: Tensor
    lerf_auc: Tensor

    @property
    def difference(self) -> Tensor:
        """Area between the two curves, (S,), in [−1, 1]; higher is better."""
        return self.lerf_auc - self.morf_auc


def degradation(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    tile_size: int | tuple[int, int] = 8,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
) -> Degradations:
    """Score inputs while their tiles become 0, in both orders of relevance.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W); of a tile, only the sum counts.
        targets: Class indices, (S,).
        tile_size: Pixels per side of a tile, or its height and width.
        internal_batch_size: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is not a class.

    References:
        Ancona et al. 2018 (arXiv 1711.06104), section 4; Schulz et al. 2020, "Restricting the
        flow" (arXiv 2001.00396), section 4.3, which also scales the curves to [0, 1].
    """
    import torch

    from input_iba.evaluation.hiding import follow
    from input_iba.modality.units import Pixels

    pixels = Pixels(classify, inputs)
    labels = pixels.check(heats, targets)
    curves = []
    for least_first in (False, True):
        places = tile_ranks(heats, tile_size, least_first).flatten(1).to(inputs.device)
        counts = torch.arange(int(places.max()) + 2)
        steps = counts.expand(len(inputs), -1)
        curves.append(follow(pixels, places, steps, labels, internal_batch_size, use_softmax))
    shares = counts.double() / counts[-1]
    areas = (torch.trapezoid(curve, shares, dim=1) for curve in curves)
    return Degradations(shares, curves[0], curves[1], *areas)


@dataclass(frozen=True)
class DegradationMetric(TwoCurvesMetric):
    """Target probability while tiles vanish, most relevant first and least relevant first."""

    name: ClassVar = "degradation"
    description: ClassVar = "Remove tiles, most and least relevant first."
    higher_is_better: ClassVar = {"LeRF_auc": True, "MoRF_auc": False, "difference": True}
    labels: ClassVar = {
        "LeRF": "least relevant first, higher is better",
        "MoRF": "most relevant first, lower is better",
    }
    x_label: ClassVar = "share of the tiles removed"
    title: ClassVar = "Degradation by tiles of {tile_size} pixels"

    tile_size: int = setting(8, "pixels per side", at_least=1)

    def measure(self, context: EvaluationContext, case: ScoredSample) -> tuple[Tensor, Curves]:
        """Return shares, and curve and area with the least and the most relevant tiles first."""
        found = degradation(
            context.classify,
            case.sample.input[None],
            case.heat[None],
            [case.target],
            self.tile_size,
            context.internal_batch_size(case.sample),
            context.use_softmax,
        )
        least = (found.lerf[0], found.lerf_auc.item())
        return found.shares, [least, (found.morf[0], found.morf_auc.item())]
