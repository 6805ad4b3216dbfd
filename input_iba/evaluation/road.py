"""ROAD: what the target loses while pixels are imputed from their neighbours, in both orders."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.curves import rounded
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart
    from input_iba.modality.units import Classify

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
NOISE = 0.01
"""Deviation of the noise on imputed pixels, in normalised inputs' units; that of the paper."""


@dataclass(frozen=True)
class Imputations:
    """Target probabilities of S inputs with T shares of their pixels imputed; float64, on the CPU.

    Attributes:
        morf: The hottest pixels imputed, (S, T); lower is better.
        lerf: The coldest pixels imputed, (S, T); higher is better.
    """

    morf: Tensor
    lerf: Tensor

    @property
    def difference(self) -> Tensor:
        """Mean over shares of LeRF minus MoRF, (S,), in [−1, 1]; higher is better."""
        return (self.lerf - self.morf).mean(1)


def road(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    shares: Sequence[float] = SHARES,
    noise: float = NOISE,
    seeds: Sequence[int] | None = None,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
) -> Imputations:
    """Score inputs whose most, or least, relevant pixels are imputed; see `imputation.impute`.

    What is blanked out shows its shape to the classifier; what is imputed hardly does, so that
    scores tell less of where pixels are missing and more of what they held. Where the paper counts
    right answers, this takes the target's probability.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W); only their order counts.
        targets: Class indices, (S,).
        shares: Of the pixels that are imputed, each in (0, 1); at least one pixel is, and one left.
        noise: Deviation of the Gaussian noise that is added to them.
        seeds: Of each input's noise, (S,); None for 0, 1, ….
        internal_batch_size: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, a target is not a class, or a
            share or the noise is out of its range.

    References:
        Rong et al. 2022, "A consistent and efficient evaluation strategy for attribution methods"
        (arXiv 2202.00449), section 4.
    """
    import torch

    from input_iba.evaluation.hiding import follow
    from input_iba.evaluation.imputation import ImputedPixels, drawn_noise
    from input_iba.evaluation.ranks import ranks

    if not shares or not all(0 < share < 1 for share in shares) or noise < 0:
        raise EvaluationError(
            f"ROAD needs shares of the pixels in (0, 1) and noise ≥ 0; got {tuple(shares)} and "
            f"{noise!r}."
        )
    drawn = list(range(len(inputs)) if seeds is None else seeds)
    units = ImputedPixels(classify, inputs, noise=drawn_noise(inputs, noise, drawn))
    labels, pixels = units.check(heats, targets), heats[0].numel()
    if pixels < 2:
        raise EvaluationError("An image of a single pixel has no neighbours to impute it from.")
    counts = torch.tensor([min(max(round(s * pixels), 1), pixels - 1) for s in shares])
    steps = counts.expand(len(inputs), -1)
    morf, lerf = (
        follow(
            units,
            ranks(sign * heats.double()).flatten(1).to(inputs.device),
            steps,
            labels,
            internal_batch_size,
            use_softmax,
        )
        for sign in (1, -1)
    )
    return Imputations(morf, lerf)


@dataclass(frozen=True)
class RoadMetric(Metric):
    """Target probability while pixels are imputed, most relevant first and least relevant first."""

    name: ClassVar = "road"
    description: ClassVar = "Impute pixels from their neighbours, most and least relevant first."
    higher_is_better: ClassVar = {"lerf": True, "morf": False, "difference": True}

    shares: tuple[float, ...] = setting(
        SHARES, "shares of the pixels that are imputed", above=0, below=1, metavar="SHARE"
    )
    noise: float = setting(NOISE, "deviation of the noise on imputed pixels", at_least=0)

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

        def score(case: ScoredSample) -> Row | str:
            if case.heat.numel() < 2:
                return "fewer than two pixels"
            found = road(
                context.classify,
                case.sample.input[None],
                case.heat[None],
                [case.target],
                self.shares,
                self.noise,
                [zlib.crc32(f"{context.seed}/{case.sample.id}".encode())],
                context.internal_batch_size(case.sample),
                context.use_softmax,
            )
            return {
                "lerf": found.lerf.mean().item(),
                "morf": found.morf.mean().item(),
                "difference": found.difference.item(),
                "lerf_curve": rounded(found.lerf[0]),
                "morf_curve": rounded(found.morf[0]),
            }

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return both mean curves."""
        from input_iba.drawing import Chart, mean_line

        labels = {
            "lerf_curve": "least relevant first, higher is better",
            "morf_curve": "most relevant first, lower is better",
        }
        lines = [
            mean_line(label, list(self.shares), [row[key] for row in rows])
            for key, label in labels.items()
        ]
        title = f"ROAD, mean of {len(rows)} samples"
        return Chart(title, "share of the pixels imputed", "target probability", lines)
