"""Single deletion: whether a map orders patches as the target's logit does without each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.evaluation.sensitivity_n import drops_without
from input_iba.evaluation.tiles import tile_sums
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart
    from input_iba.modality.units import Classify

PATCHES = 4
"""Patches per side, as in the paper: 16 of 56×56 pixels in images of 224×224."""


@dataclass(frozen=True)
class SingleDeletions:
    """What S maps say of G patches, and what happens without each; float64, on the CPU.

    Attributes:
        rank_correlation: Spearman's correlation of sums and drops, (S,), in [−1, 1]; higher is
            better. It is 0 where the sums or the drops are all the same.
        sums: Heat of every patch, (S, G).
        drops: What the logit of the target loses when the patch alone is hidden, (S, G).
    """

    rank_correlation: Tensor
    sums: Tensor
    drops: Tensor


def patch_lines(size: tuple[int, ...], patches: int) -> tuple[Tensor, Tensor]:
    """Return the row of patches of each row of pixels, (H,), and the column of each column, (W,).

    Sizes of patches differ by a pixel where their number does not divide the image's side.

    Raises:
        EvaluationError: There are fewer than two patches, or more than pixels.

    >>> patch_lines((4, 5), 2)
    (tensor([0, 0, 1, 1]), tensor([0, 0, 0, 1, 1]))
    """
    import torch

    if not 2 <= patches <= min(size):
        raise EvaluationError(
            f"Single deletion needs 2 to {min(size)} patches per side of an image of {size[1]}×"
            f"{size[0]} pixels; got {patches!r}."
        )
    rows, columns = (torch.arange(pixels) * patches // pixels for pixels in size)
    return rows, columns


def patch_drops(
    classify: Classify,
    inputs: Tensor,
    targets: Tensor | Sequence[int],
    patches: int = PATCHES,
    internal_batch_size: int = 32,
) -> Tensor:
    """Return what the target's logit loses without each patch, (S, G), whatever the map."""
    import torch

    from input_iba.modality.units import Pixels

    rows, columns = patch_lines(tuple(inputs.shape[-2:]), patches)
    numbers = rows[:, None] * patches + columns
    sets = numbers == torch.arange(patches**2)[:, None, None]
    return drops_without(Pixels(classify, inputs), targets, sets, internal_batch_size)


def deletions(heats: Tensor, drops: Tensor, patches: int = PATCHES) -> SingleDeletions:
    """Compare heats (S, H, W), summed over patches, with what the logit loses, (S, G)."""
    from input_iba.core.correlation import spearman
    from input_iba.core.maps import check_maps

    check_maps(heats, (len(drops), *heats.shape[1:]))
    sums = tile_sums(heats, *patch_lines(tuple(heats.shape[1:]), patches)).flatten(1).cpu()
    return SingleDeletions(spearman(sums, drops), sums, drops)


def single_deletion(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    patches: int = PATCHES,
    internal_batch_size: int = 32,
) -> SingleDeletions:
    """Correlate the heat of patches with what the target's logit loses without each alone.

    Hidden pixels become 0. Little is hidden at a time, and a classifier that was trained on images
    with hidden patches has seen such inputs, so that its answer does not leave what it knows; then
    scores of different classifiers can be compared, too.

    Args:
        classify: Maps inputs (B, C, H, W) to logits (B, classes), in eval mode.
        inputs: Normalised inputs, (S, C, H, W).
        heats: (S, H, W), signed or not.
        targets: Class indices, (S,).
        patches: Patches per side of the image; there are G = patches².
        internal_batch_size: Inputs that the classifier sees at once.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, a target is not a class, or the
            number of patches does not fit the image.

    References:
        Hesse et al. 2024, "Benchmarking the attribution quality of vision models"
        (arXiv 2407.11910), section 3, the in-domain single-deletion score.
    """
    from input_iba.core.maps import check_maps

    check_maps(heats, (len(inputs), *inputs.shape[-2:]))
    drops = patch_drops(classify, inputs, targets, patches, internal_batch_size)
    return deletions(heats, drops, patches)


@dataclass(frozen=True)
class SingleDeletionMetric(Metric):
    """Rank correlation of the heat of patches with what the target's logit loses without each."""

    name: ClassVar = "single_deletion"
    description: ClassVar = (
        "Correlate the heat of patches with what removing each of them alone costs."
    )
    higher_is_better: ClassVar = {"rank_correlation": True}

    patches: int = setting(PATCHES, "patches per side of the image", at_least=2)

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        lost: dict[tuple[str, int], Tensor] = {}

        def score(case: ScoredSample) -> Row | str:
            if min(case.heat.shape) < self.patches:
                return f"fewer than {self.patches} pixels per side"
            # What is lost does not depend on the map: methods that are compared share it.
            key, sample = (case.sample.id, case.target), case.sample
            if key not in lost:
                lost[key] = patch_drops(
                    context.classify,
                    sample.input[None],
                    [case.target],
                    self.patches,
                    context.internal_batch_size(sample),
                )
            found = deletions(case.heat[None], lost[key], self.patches)
            return {"rank_correlation": found.rank_correlation.item()}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each correlation."""
        from input_iba.drawing import Chart, share_line

        lines = [share_line("higher is better", [row["rank_correlation"] for row in rows])]
        title = f"Single deletion of {self.patches}×{self.patches} patches, {len(rows)} samples"
        return Chart(title, "rank correlation", "share of samples at least so high", lines)
