"""Sanity check: do maps change when the classifier forgets what it has learned?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from input_iba.evaluation.base import EvaluationContext, Metric, Row, Score, ScoredSample
from input_iba.settings import Settings, read, setting

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from input_iba.drawing import Chart

LOGGER = logging.getLogger("input_iba")

Explain = Callable[["nn.Module"], "Tensor"]
"""Maps a classifier to maps (S, H, W) of the same S samples, each for the same class."""

Report = Callable[[str, "Tensor"], None]
"""Is told the layer and the similarities (S,) after every step."""

MAPS = {
    "input_iba": "map",
    "input_mask": "input_mask",
    "gan": "prior_mask",
    "feat_iba": "feature_mask",
}
"""Which map of an attribution a `check` is about."""


@dataclass(frozen=True)
class SanityCheckSection(Settings):
    """What a config says of the sanity check."""

    perturb_layers: tuple[str, ...] | None = setting(
        None, "layers to re-initialise, the top one first; None for all"
    )
    check: str = setting(
        "input_iba", "which map is compared: that of the three stages, or a mask", choices=MAPS
    )
    n_estimation: int = setting(
        100, "samples of the estimation set behind the statistics of every step", at_least=2
    )
    verbose: bool = setting(False, "log the similarity of every step", changes_result=False)


@dataclass(frozen=True)
class SanityScores:
    """How similar S maps stay while L layers are re-initialised, from the top down.

    Attributes:
        layers: Names of the layers, in the order in which they were re-initialised.
        ssim: Structural similarity with the original maps after each of them, (L, S), float64, on
            the CPU, in [−1, 1]; lower is better: a map that stays does not depend on the weights.
        maps: The maps after each of them, (L, S, H, W), on the CPU.
    """

    layers: tuple[str, ...]
    ssim: Tensor
    maps: Tensor


def sanity_check(
    model: nn.Module,
    explain: Explain,
    layers: Sequence[str] | None = None,
    original: Tensor | None = None,
    seed: int = 0,
    window: int = 11,
    report: Report | None = None,
) -> SanityScores:
    """Re-initialise layer after layer, explain again, and compare with the original maps.

    All maps are scaled to [0, 1] before they are compared, each by its own extremes. The model
    comes back as it was, also after an exception.

    Args:
        model: The classifier that `explain` is given.
        explain: Makes the maps; it must not remember anything of the model between calls.
        layers: Names of layers, the top one first; None for all, see `layers_from_the_top`.
        original: Maps of the unchanged model, (S, H, W); None lets `explain` make them.
        seed: Seeds the new weights.
        window: Pixels per side of the window of the similarity, odd.
        report: Told about every layer once it is done.

    Raises:
        LayerNotFoundError: The model has no such layer.
        EvaluationError: A layer cannot be re-initialised, or maps cannot be compared.

    References:
        Adebayo et al. 2018, "Sanity checks for saliency maps" (arXiv 1810.03292), section 3.1.
    """
    import torch

    from input_iba.core.maps import check_maps
    from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
    from input_iba.evaluation.similarity import structural_similarity, unit_range

    before = (explain(model) if original is None else original).detach().cpu()
    check_maps(before, tuple(before.shape))
    names = layers_from_the_top(model) if layers is None else list(layers)
    maps, scores = [], []
    with cascade(model, names, seed) as steps:
        for layer in steps:
            after = explain(model).detach().cpu()
            check_maps(after, tuple(before.shape))
            scores.append(structural_similarity(unit_range(before), unit_range(after), window))
            maps.append(after)
            if report is not None:
                report(layer, scores[-1])
    return SanityScores(tuple(names), torch.stack(scores), torch.stack(maps))


def log_step(layer: str, ssim: Tensor) -> None:
    """Log how similar maps are after a layer; a `Report`."""
    LOGGER.info("Re-initialised down to layer %s: SSIM %.4f", layer, ssim.mean())


@dataclass(frozen=True)
class SanityMetric(Metric):
    """How similar maps stay while layers are re-initialised."""

    name: ClassVar = "sanity_check"
    description: ClassVar = "Re-initialise the classifier from the top down, and compare maps."
    higher_is_better: ClassVar = {"ssim": False}

    save_heatmaps: bool = setting(False, "write the maps of every step beside the result")
    method: Literal["config", "edge"] = setting(
        "config",
        "what explains at every step: the attributor of the config, or an edge detector, which "
        "ignores the weights and so must fail; HEATMAP_DIR then only chooses the samples",
    )
    layers: tuple[str, ...] | None = setting(
        None,
        "layers to re-initialise, the top one first (default: sanity_check.perturb_layers of the "
        "config, or all)",
        metavar="LAYER",
    )
    n_estimation: int | None = setting(
        None,
        "samples from which the layer's statistics are estimated at every step (default: "
        "sanity_check.n_estimation of the config, or 100)",
        at_least=2,
    )
    ssim_threshold: float = setting(
        0.5, "mean similarity after the last layer below which the check is passed"
    )

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.evaluation.explain_again import explain_again
        from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
        from input_iba.evaluation.similarity import edge_map, structural_similarity, unit_range

        how = read(SanityCheckSection, context.section, "sanity_check", f"'{context.config_path}'")
        model, seed = context.classifier, context.seed
        layers = self.layers or how.perturb_layers or layers_from_the_top(model)
        with cascade(model, layers, seed):
            pass  # says now what is wrong with the layers, not for every sample
        explainer_of = None
        if self.method == "config":
            n_samples = self.n_estimation or how.n_estimation
            explainer_of = explain_again(context, MAPS[how.check], n_samples)
        report = log_step if how.verbose else None

        def score(case: ScoredSample) -> Row:
            edges = edge_map(case.sample.input[None])
            control = found = sanity_check(model, lambda _: edges, layers, seed=seed)
            unchanged = 1.0
            if explainer_of is not None:
                explain = explainer_of(case)
                again = unit_range(explain(model).cpu()[0])
                unchanged = structural_similarity(again, unit_range(case.heat)).item()
                before = case.heat[None]
                found = sanity_check(model, explain, layers, before, seed, report=report)
            if self.save_heatmaps:
                _save(context.beside, case.sample.id, found)
            ssim_all = found.ssim[:, 0].tolist()
            return {
                "ssim": fmean(ssim_all),
                "ssim_all": ssim_all,
                "ssim_unchanged": unchanged,
                "control_ssim_all": control.ssim[:, 0].tolist(),
                "layers": list(found.layers),
            }

        return score

    def verdict(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return whether the maps forget the classifier when it forgets what it has learned."""
        own = fmean(row["ssim_all"][-1] for row in rows)
        control = fmean(row["control_ssim_all"][-1] for row in rows)
        unchanged = fmean(row["ssim_unchanged"] for row in rows)
        return {
            "passes": own < self.ssim_threshold <= unchanged,
            "rule": f"the mean SSIM with the original maps must be at least "
            f"{self.ssim_threshold:g} with unchanged weights (it is {unchanged:.3f}) and below it "
            f"once all {len(rows[0]['layers'])} layers are re-initialised (it is {own:.3f})",
            "method": self.method,
            "ssim_unchanged": unchanged,
            "ssim_at_the_end": own,
            "threshold": self.ssim_threshold,
            "control": {
                "method": "edge",
                "ssim_at_the_end": control,
                "passes": control < self.ssim_threshold,
            },
        }

    def values(self, row: Row) -> dict[str, float]:
        """Return the mean over the layers, and the similarity after every layer."""
        return {"ssim": row["ssim"], **dict(zip(row["layers"], row["ssim_all"], strict=True))}

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean similarity after every layer."""
        from input_iba.drawing import Chart, mean_line

        layers = rows[0]["layers"]
        steps = [float(step + 1) for step in range(len(layers))]
        labels = {
            "ssim_all": f"{self.method}, lower is better",
            "control_ssim_all": "edge detector, which ignores the weights",
        }
        lines = [mean_line(said, steps, [row[key] for row in rows]) for key, said in labels.items()]
        title = f"Sanity check, mean of {len(rows)} samples, from {layers[0]} down to {layers[-1]}"
        return Chart(title, "layers re-initialised", "similarity with the original map", lines)


def _save(beside: Path, id_: str, found: SanityScores) -> None:
    """Write the map of every step as npz: `<result>_heatmaps/<sample>/<step>_<layer>.npz`."""
    from input_iba.results import safe_name, write_mask

    folder = beside.with_name(f"{beside.name}_heatmaps") / safe_name(id_)
    for step, (layer, maps) in enumerate(zip(found.layers, found.maps, strict=True)):
        write_mask(folder / f"{step:02d}_{safe_name(layer)}.npz", maps[0].float().numpy())
