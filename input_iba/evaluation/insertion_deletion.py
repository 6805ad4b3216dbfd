"""Insertion and deletion: how fast the target appears or disappears in the order of heat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.maps import as_map
from input_iba.core.modes import frozen
from input_iba.core.smoothing import gaussian_smooth
from input_iba.evaluation.hiding import (
    Classify,
    as_batch,
    check_samples,
    logits_from,
    scores_while_replacing,
    step_counts,
)
from input_iba.evaluation.ranks import ranks


@dataclass(frozen=True)
class InsertionDeletion:
    """Scores of S maps after every step, and the areas under them; float64, on the CPU.

    Attributes:
        shares: Share of the pixels changed after every step, (T,), 0 to 1; (S, T) for texts, which
            differ in length.
        insertion: Target probability while pixels appear, (S, T).
        deletion: Target probability while pixels disappear, (S, T).
        insertion_auc: Area under `insertion` over `shares`, (S,); higher is better.
        deletion_auc: Area under `deletion` over `shares`, (S,); lower is better.
    """

    shares: Tensor
    insertion: Tensor
    deletion: Tensor
    insertion_auc: Tensor
    deletion_auc: Tensor

    @property
    def difference(self) -> Tensor:
        """Insertion area minus deletion area, (S,), in [−1, 1]; higher is better."""
        return self.insertion_auc - self.deletion_auc


def insertion_deletion(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    pixel_batch_size: int = 10,
    sigma: float = 5.0,
    rows: int = 32,
    use_softmax: bool = True,
    blur_radius: int | None = None,
) -> InsertionDeletion:
    """Score inputs while their pixels appear, and while they disappear, hottest first.

    Pixels of equal heat follow each other as in `ranks`, in an order drawn once: the mean over all
    orders would cost as many passes as there are orders. Deleted pixels become 0; pixels not yet
    inserted are blurred by a Gaussian that reaches round(2σ) pixels to each side, so its kernel
    size is odd for any σ.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W); only their order counts.
        targets: Class indices, (S,).
        pixel_batch_size: Pixels per step.
        sigma: Deviation of the blur in pixels; 0 blurs nothing.
        rows: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
        blur_radius: Pixels that the blur reaches to each side, so that its kernel has
            2·radius + 1; None for round(2σ). The published code's kernel has 2σ − 1: radius σ − 1.

    Returns:
        Scores after every step, before the first one too, and areas by the trapezoid rule.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is no class.

    References:
        Petsiuk et al. 2018, "RISE" (arXiv 1806.07421), section 4.3.
    """
    labels = check_samples(inputs, heats, targets)
    counts = step_counts(inputs[0, 0].numel(), pixel_batch_size)
    places = ranks(heats).to(inputs.device)
    blurred, zeros = gaussian_smooth(inputs, sigma, blur_radius), torch.zeros_like(inputs)
    insertion, deletion = (
        scores_while_replacing(classify, start, end, places, counts, labels, rows, use_softmax)
        for start, end in ((blurred, inputs), (inputs, zeros))
    )
    shares = counts.double() / counts[-1]
    areas = (torch.trapezoid(scores, shares, dim=1) for scores in (insertion, deletion))
    return InsertionDeletion(shares, insertion, deletion, *areas)


class VisionInsertionDeletion:
    """Insertion and deletion of one image at a time.

    Args:
        classifier: The classifier; put into eval mode for each evaluation, and given back as it
            was.
        pixel_batch_size: Pixels per step.
        sigma: Deviation of the blur in pixels.
        rows: Inputs that the classifier sees at once.
        blur_radius: Pixels that the blur reaches to each side; None for round(2σ). σ − 1 is the
            published code's.
    """

    def __init__(
        self,
        classifier: nn.Module,
        pixel_batch_size: int = 10,
        sigma: float = 5.0,
        rows: int = 32,
        blur_radius: int | None = None,
    ) -> None:
        self.classifier = classifier
        self.pixel_batch_size = pixel_batch_size
        self.sigma = sigma
        self.rows = rows
        self.blur_radius = blur_radius

    def evaluate(
        self, heatmap: ArrayLike | Tensor, input_tensor: Tensor, target: int
    ) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (H, W); it is not changed.
            input_tensor: Normalised input, (C, H, W) or (1, C, H, W).
            target: Class index.

        Returns:
            `ins_scores` and `del_scores`, arrays (T,) of the target's probability after every
            step; `ins_auc` and `del_auc`, floats; `ins_input` and `del_input`, the inputs after
            the last step, (C, H, W).

        Raises:
            EvaluationError: Map, input and target do not fit each other or the classifier.
        """
        inputs = as_batch(self.classifier, input_tensor)
        with frozen(self.classifier):
            found = insertion_deletion(
                logits_from(self.classifier),
                inputs,
                as_map(heatmap)[None],
                [int(target)],
                pixel_batch_size=self.pixel_batch_size,
                sigma=self.sigma,
                rows=self.rows,
                blur_radius=self.blur_radius,
            )
        return {
            "del_scores": found.deletion[0].numpy(),
            "ins_scores": found.insertion[0].numpy(),
            "del_input": torch.zeros_like(inputs[0]),
            "ins_input": inputs[0].clone(),
            "ins_auc": found.insertion_auc.item(),
            "del_auc": found.deletion_auc.item(),
        }
