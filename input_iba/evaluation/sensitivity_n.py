"""Sensitivity-N: whether a map's sums over sets of pixels foretell what removing them costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.maps import as_map
from input_iba.core.modes import frozen
from input_iba.errors import EvaluationError
from input_iba.evaluation.hiding import (
    Classify,
    as_batch,
    check_samples,
    logits_from,
    samples_of,
    target_scores,
)
from input_iba.evaluation.sets import random_sets


@dataclass(frozen=True)
class SensitivityN:
    """What S maps foretell and what happens, for M sets of N pixels; float64, on the CPU.

    Attributes:
        correlation: Pearson's correlation of sums and drops, (S,), in [−1, 1]; higher is better.
            It is 0 where the sums or the drops are all the same.
        sums: Attribution summed over every set, (S, M).
        drops: What the logit of the target loses when the set becomes 0, (S, M).
    """

    correlation: Tensor
    sums: Tensor
    drops: Tensor

    def published(self, calculate_corr: bool) -> dict[str, Any]:
        """Return the first sample's values under the published keys."""
        return {
            "correlation": self.correlation[0].item() if calculate_corr else None,
            "score_diffs": self.drops[0].numpy(),
            "sum_attributions": self.sums[0].numpy(),
        }


def sensitivity_n(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    rows: int = 32,
) -> SensitivityN:
    """Correlate summed attribution with the drop of the target's logit.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W), signed or not.
        targets: Class indices, (S,).
        sets: Pixels that become 0, true inside: (M, H, W) for all samples, or (S, M, H, W).
        rows: Inputs that the classifier sees at once; images and sets share a pass.

    Returns:
        Correlations, sums and drops.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, or a target is no class.

    References:
        Ancona et al. 2018, "Towards better understanding of gradient-based attribution methods
        for deep neural networks" (arXiv 1711.06104), section 4.
    """
    check_samples(inputs, heats, targets)
    drops = logit_drops(classify, inputs, targets, sets, rows)
    return correlated(drops, (sets != 0).to(heats.device).flatten(-2), heats.flatten(1))


def logit_drops(
    classify: Classify,
    inputs: Tensor,
    targets: Tensor | Sequence[int],
    sets: Tensor,
    rows: int = 32,
) -> Tensor:
    """Return what the target's logit loses without each set, (S, M), float64, on the CPU.

    It does not depend on any map, so that one is enough for all maps of the same samples. The
    arguments are those of `sensitivity_n`.

    Raises:
        EvaluationError: Shapes do not fit, or a target is no class.
    """
    samples, size = len(inputs), tuple(inputs.shape[2:])
    labels = torch.as_tensor(targets).to(inputs.device)
    own = sets.ndim == 4
    if tuple(sets.shape[-2:]) != size or sets.ndim not in (3, 4) or (own and len(sets) != samples):
        raise EvaluationError(
            f"Expected sets of pixels (M, {size[0]}, {size[1]}), or {samples} of these; got "
            f"{tuple(sets.shape)}."
        )
    count, chosen = sets.shape[-3], (sets != 0).to(inputs.device)

    def build(part: Tensor) -> Tensor:
        of_part = chosen[part // count, part % count] if own else chosen[part % count]
        return inputs[samples_of(part, count, samples)].masked_fill(of_part[:, None], 0)

    whole = target_scores(classify, lambda part: inputs[part], labels, rows)
    without = target_scores(classify, build, labels.repeat_interleave(count), rows)
    return whole[:, None] - without.view(samples, count)


def correlated(drops: Tensor, sets: Tensor, heats: Tensor) -> SensitivityN:
    """Compare what sets of elements foretell with what removing them costs.

    Args:
        drops: What the target's logit loses without each set, (S, M), on the CPU.
        sets: Elements of the sets, (M, P) or (S, M, P), bool.
        heats: Attribution of the elements, (S, P), where the sets are.
    """
    sums = (sets.double() @ heats.double()[..., None])[..., 0].cpu()
    return SensitivityN(_correlation(sums, drops), sums, drops)


def _correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return Pearson's correlation of rows (S, M), 0 where one of the two does not vary."""
    centred = [values - values.mean(1, keepdim=True) for values in (first, second)]
    lengths = [values.norm(dim=1) for values in centred]
    # Rounding lets equal values differ a little, which is no variation.
    varies = [
        length > 1e-12 * values.norm(dim=1)
        for length, values in zip(lengths, (first, second), strict=True)
    ]
    product = (centred[0] * centred[1]).sum(1)
    correlation = (product / (lengths[0] * lengths[1])).clamp(-1, 1)
    return torch.where(varies[0] & varies[1], correlation, 0)


class VisionSensitivityN:
    """Sensitivity-N of one image at a time, with the same sets for every image.

    Args:
        classifier: The classifier; put into eval mode for each evaluation, and given back as it
            was.
        input_size: H and W of the inputs.
        n: Pixels of a set.
        num_masks: Number of sets M.
        seed: Seeds the draw of the sets.
        rows: Inputs that the classifier sees at once.

    Raises:
        EvaluationError: n or the number of sets is out of its range.
    """

    def __init__(
        self,
        classifier: nn.Module,
        input_size: tuple[int, int],
        n: int,
        num_masks: int = 100,
        seed: int = 0,
        rows: int = 32,
    ) -> None:
        self.classifier = classifier
        self.sets = random_sets((input_size[0], input_size[1]), n, num_masks, seed)
        self.rows = rows

    def evaluate(
        self,
        heatmap: ArrayLike | Tensor,
        input_tensor: Tensor,
        target: int,
        calculate_corr: bool = False,
    ) -> dict[str, Any]:
        """Score one map.

        Args:
            heatmap: (H, W); it is not changed.
            input_tensor: Normalised input, (C, H, W) or (1, C, H, W).
            target: Class index.
            calculate_corr: Whether to correlate the two.

        Returns:
            `score_diffs`, what the target's logit loses, and `sum_attributions`, arrays (M,);
            `correlation`, a float, or None without `calculate_corr`.

        Raises:
            EvaluationError: Map, input and target do not fit each other or the classifier.
        """
        inputs = as_batch(self.classifier, input_tensor)
        with frozen(self.classifier):
            found = sensitivity_n(
                logits_from(self.classifier),
                inputs,
                as_map(heatmap)[None],
                [int(target)],
                self.sets,
                self.rows,
            )
        return found.published(calculate_corr)
