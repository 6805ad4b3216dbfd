"""Insertion and deletion: how fast the target appears or disappears in the order of heat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.evaluation.tiles import tile_ranks
from input_iba.evaluation.two_curves import Curves, TwoCurvesMetric
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.modality.units import Classify, TextClassify, Units

SIGMA = "blur of pixels not yet inserted, in pixels; no effect on words"
STEP = "pixels (10 by default) or words (2) changed per step"


@dataclass(frozen=True)
class InsertionDeletion:
    """Scores of S maps before the first step and after each, and the areas under them.

    Attributes:
        shares: Share of the pixels changed after every step, of those that are changed in the end,
            (T,), 0 to 1; (S, T) for texts, which differ in length. Float64, on the CPU, as all
            that follows.
        insertion: Target probability while pixels appear, (S, T).
        deletion: Target probability while pixels disappear, (S, T).
        insertion_auc: Area under `insertion` by the trapezoid rule, (S,); higher is better.
        deletion_auc: Area under `deletion`, (S,); lower is better.
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


def insert_and_delete(
    units: Units,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    pixel_batch_size: int = 10,
    sigma: float = 5.0,
    blur_radius: int | None = None,
    max_fraction: float = 1.0,
    internal_batch_size: int = 32,
    use_softmax: bool = True,
    patch_size: int = 1,
) -> InsertionDeletion:
    """Score inputs while their units appear, and while they disappear, hottest first.

    Units of equal heat follow each other as in `ranks`, in an order drawn once: the mean over all
    orders would cost as many passes as there are orders. Deleted pixels become 0; pixels not yet
    inserted are blurred by a Gaussian that reaches round(2σ) pixels to each side, so its kernel
    size is odd for any σ. Deleted words, and words not yet inserted, have the embedding 0, or what
    `modality.units.replacing` puts there. A text shorter than another of its batch stays at its
    last step.

    Args:
        units: Of S inputs.
        heats: (S, H, W), or (S, T) of texts; only their order counts.
        targets: Class indices, (S,).
        pixel_batch_size: Units per step.
        sigma: Deviation of the blur in pixels; 0 blurs nothing.
        blur_radius: Pixels that the blur reaches to each side, so that its kernel has
            2·radius + 1; None for round(2σ). The published code's kernel has 2σ − 1: radius σ − 1.
        max_fraction: Share of the units that are changed at the most, in (0, 1].
        internal_batch_size: Inputs that the classifier sees at once.
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
        patch_size: Pixels per side of the patches of an image that change as one, in the order of
            their heat together; a step changes as many as hold `pixel_batch_size` pixels, or one.

    Raises:
        EvaluationError: Shapes do not fit, a heat is not finite, a target is not a class, or a
            setting is out of its range.

    References:
        Petsiuk et al. 2018, "RISE" (arXiv 1806.07421), section 4.3.
    """
    import torch

    from input_iba.evaluation.hiding import follow, step_counts

    labels = units.check(heats, targets)
    if pixel_batch_size < 1 or not 0 < max_fraction <= 1:
        raise EvaluationError(
            f"pixel_batch_size must be at least 1 and max_fraction in (0, 1]; got "
            f"{pixel_batch_size!r} and {max_fraction!r}."
        )
    places, changed = order(units, heats, max_fraction, patch_size)
    counts = step_counts(changed, max(1, pixel_batch_size // patch_size**2))
    insertion, deletion = (
        follow(of, places, counts, labels, internal_batch_size, use_softmax, revealing)
        for of, revealing in ((units.blurred(sigma, blur_radius), True), (units, False))
    )
    shares = (counts.double() / changed[:, None]).cpu()
    areas = (torch.trapezoid(scores, shares, dim=1) for scores in (insertion, deletion))
    return InsertionDeletion(shares, insertion, deletion, *areas)


def order(
    units: Units, heats: Tensor, max_fraction: float = 1.0, patch_size: int = 1
) -> tuple[Tensor, Tensor]:
    """Return each unit's place in the order of heat, (S, U), and how many are changed, (S,).

    The pixels of a patch share a place, and patches are counted.
    """
    import torch

    from input_iba.evaluation.ranks import ranks

    scored, device = units.scored.to(heats.device), units.inputs.device
    if patch_size == 1:
        places = ranks(heats.flatten(1).double().masked_fill(~scored, -torch.inf))
        count = scored.sum(1)
    elif heats.ndim == 3:
        places = tile_ranks(heats, patch_size).flatten(1)
        count = places.amax(1) + 1
    else:
        raise EvaluationError(
            f"Only images have patches; got patch_size {patch_size!r} for {units.name}."
        )
    changed = (count.double() * max_fraction - 1e-9).ceil().long()
    return places.to(device), changed.cpu()


def insertion_deletion(
    classify: Classify,
    inputs: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    pixel_batch_size: int = 10,
    sigma: float = 5.0,
    **options: Any,
) -> InsertionDeletion:
    """Score images while their pixels appear and disappear; see `insert_and_delete`.

    `classify` maps normalised inputs (B, C, H, W) to logits (B, classes), in eval mode; `inputs`
    are (S, C, H, W). The `shares` found are (T,), the same for all.
    """
    from input_iba.modality.units import Pixels

    units = Pixels(classify, inputs)
    found = insert_and_delete(units, heats, targets, pixel_batch_size, sigma, **options)
    return replace(found, shares=found.shares[0])


def text_insertion_deletion(
    classify: TextClassify,
    tokens: Tensor,
    heats: Tensor,
    targets: Tensor | Sequence[int],
    scored: Tensor,
    pixel_batch_size: int = 2,
    **options: Any,
) -> InsertionDeletion:
    """Score texts while their words appear and disappear; see `insert_and_delete`.

    `classify` maps token ids, and which positions keep their embedding, (B, T) each, to logits; of
    one logit, target 1 stands for it and 0 for the other class; `modality.units.replacing` makes
    classifiers that read something else than the embedding 0. `tokens` are padded to one length,
    (S, T), and `scored` the positions that are changed: no padding, no special tokens.
    """
    from input_iba.modality.units import Words

    units = Words(classify, tokens, scored.to(tokens.device))
    return insert_and_delete(units, heats, targets, pixel_batch_size, **options)


@dataclass(frozen=True)
class OrderMetric(TwoCurvesMetric):
    """What these metrics share; their settings are options of `insert_and_delete`."""

    higher_is_better: ClassVar = {"ins_auc": True, "del_auc": False, "difference": True}
    labels: ClassVar = {"ins": "insertion, higher is better", "del": "deletion, lower is better"}

    def measure(self, context: EvaluationContext, case: ScoredSample) -> tuple[Tensor, Curves]:
        """Return shares, and curve and area of insertion and of deletion."""
        options = dict(vars(self))
        found = insert_and_delete(
            context.units(case.sample, options.pop("replace", "zero")),
            case.heat[None],
            [case.target],
            internal_batch_size=context.internal_batch_size(case.sample),
            use_softmax=context.use_softmax,
            **options,
        )
        insertion = (found.insertion[0], found.insertion_auc.item())
        return found.shares[0], [insertion, (found.deletion[0], found.deletion_auc.item())]


@dataclass(frozen=True)
class InsertionDeletionMetric(OrderMetric):
    """Target probability while pixels appear and disappear, hottest first."""

    name: ClassVar[str] = "insertion_deletion"
    description: ClassVar[str] = (
        "Measure how fast the target appears and disappears with the hottest pixels."
    )
    x_label: ClassVar[str] = "share of the pixels changed"
    title: ClassVar[str] = "Insertion and deletion"

    sigma: float = setting(5.0, SIGMA, at_least=0)
    pixel_batch_size: int = setting(10, STEP, at_least=1)
    blur_radius: int | None = setting(
        None,
        "pixels that the blur reaches to each side (default: 2 sigma, rounded; the published "
        "code's: sigma - 1)",
        at_least=0,
    )


@dataclass(frozen=True)
class PatchInsertionDeletionMetric(InsertionDeletionMetric):
    """The same of patches, whose heat is that of their pixels together."""

    name: ClassVar = "patch_insertion_deletion"
    description: ClassVar = "Measure how fast the target comes and goes with the hottest patches."
    x_label: ClassVar = "share of the patches changed"
    title: ClassVar = "Insertion and deletion of patches of {patch_size} pixels"

    patch_size: int = setting(4, "pixels per side of a patch", at_least=1)
