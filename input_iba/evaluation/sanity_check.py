"""Sanity check: do maps change when the classifier forgets what it has learned?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.maps import as_map, check_maps
from input_iba.core.tap import TappedClassifier
from input_iba.errors import EvaluationError, closest
from input_iba.evaluation.reinitialise import cascade, layers_from_the_top
from input_iba.evaluation.similarity import structural_similarity, unit_range
from input_iba.records import Attribution, Failure, FeatureStatistics
from input_iba.registry import check_keys

LOGGER = logging.getLogger("input_iba")

MAPS = {"input_iba": "input_mask", "gan": "prior_mask", "feat_iba": "feature_mask"}
"""Which map of an attribution a `check` is about."""

STAGES = {"feat_iba": "feature_iba", "gan": "prior", "input_iba": "input_iba"}
"""Which settings of an attributor a section of `attribution_cfg` is about."""

Explain = Callable[[nn.Module], Tensor]
"""Maps a classifier to maps (S, H, W) of the same S samples, each for the same class."""

Report = Callable[[str, Tensor], None]
"""Is told the layer and the similarities (S,) after every step."""


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


class Attributes(Protocol):
    """What a sanity check needs of an attributor."""

    feature_iba: Any
    prior: Any
    input_iba: Any
    statistics: FeatureStatistics | None
    classifier: TappedClassifier

    def estimate(self, batches: Iterable[Tensor]) -> FeatureStatistics:
        """Estimate and keep the statistics of the layer over batches (B, C, H, W)."""

    def attribute(
        self, inputs: Tensor, targets: Sequence[int], *, seed: int = 0
    ) -> Sequence[Attribution | Failure]:
        """Explain inputs (S, C, H, W) for one class each."""


class SanityCheck:
    """Sanity check of an attributor, one image at a time.

    The attributor and its classifier come back from every call as they were.

    Args:
        attributor: Explains; it must know the statistics of its layer.
        estimation: Batches (B, C, H, W) from which the statistics are estimated anew whenever
            weights have changed. Without them the statistics stay those of the trained classifier,
            which no longer describe a layer once it or one below it is re-initialised.
        seed: Seeds the new weights and the attribution.
        window: Pixels per side of the window of the similarity, odd.
    """

    def __init__(
        self,
        attributor: Attributes,
        estimation: Sequence[Tensor] | None = None,
        seed: int = 0,
        window: int = 11,
    ) -> None:
        self.attributor = attributor
        self.estimation = estimation
        self.seed = seed
        self.window = window

    def evaluate(
        self,
        heatmap: ArrayLike | Tensor,
        input_tensor: Tensor,
        target: int,
        attribution_cfg: Mapping[str, Any] | None = None,
        perturb_layers: Sequence[str] | None = None,
        check: str = "gan",
        verbose: bool = False,
        save_dir: str | Path | None = None,
        save_heatmaps: bool = False,
    ) -> dict[str, Any]:
        """Compare a map with those of ever less trained classifiers.

        Args:
            heatmap: The map of the trained classifier, (H, W); it is not changed.
            input_tensor: Normalised input, (C, H, W) or (1, C, H, W).
            target: Class index.
            attribution_cfg: Settings of the stages `feat_iba`, `gan` and `input_iba` that differ
                from the attributor's own, as a config has them.
            perturb_layers: Names of layers, the top one first; None for all of them.
            check: The map that `heatmap` is: 'input_iba', 'gan' (the prior's) or 'feat_iba'.
            verbose: Whether to log the similarity after every layer.
            save_dir: Folder for the maps, made where it is absent.
            save_heatmaps: Whether to write them: `<step>_<layer>.npy`, float32 (H, W).

        Returns:
            `ssim_all`, a list of one similarity per layer; lower is better.

        Raises:
            ConfigError: A key of `attribution_cfg` is unknown.
            LayerNotFoundError: The classifier has no such layer.
            EvaluationError: Maps cannot be made or compared, or there is no folder for them.
        """
        if check not in MAPS:
            raise EvaluationError(
                f"Unknown check {check!r}.{closest(check, MAPS)} Known: {', '.join(MAPS)}."
            )
        if save_heatmaps and save_dir is None:
            raise EvaluationError("save_heatmaps needs save_dir, the folder for the maps.")
        inputs = input_tensor if input_tensor.ndim == 4 else input_tensor[None]
        with _configured(self.attributor, attribution_cfg or {}):
            found = sanity_check(
                self.attributor.classifier.model,
                lambda _: self._explain(inputs, int(target), MAPS[check]),
                perturb_layers,
                as_map(heatmap)[None],
                self.seed,
                self.window,
                _log if verbose else None,
            )
        if save_heatmaps:
            _save(Path(str(save_dir)), found)
        return {"ssim_all": found.ssim[:, 0].tolist()}

    def _explain(self, inputs: Tensor, target: int, name: str) -> Tensor:
        """Return the map of the classifier as it is now, (1, H, W)."""
        if self.estimation is not None:
            self.attributor.estimate(self.estimation)
        [result] = self.attributor.attribute(inputs, [target], seed=self.seed)
        if isinstance(result, Failure):
            raise EvaluationError(
                f"The classifier with re-initialised layers could not be explained: "
                f"{result.reason} Leave the sample out, or re-initialise fewer layers."
            )
        found: Tensor = getattr(result, name)
        return found[None]


def _log(layer: str, ssim: Tensor) -> None:
    LOGGER.info("Re-initialised down to layer %s: SSIM %.4f", layer, ssim.mean())


@contextmanager
def _configured(attributor: Attributes, attribution_cfg: Mapping[str, Any]) -> Iterator[None]:
    """Change settings of an attributor, and give it its own and its statistics back."""
    kept = {name: getattr(attributor, name) for name in (*STAGES.values(), "statistics")}
    try:
        for section in STAGES.keys() & attribution_cfg.keys():
            name, values = STAGES[section], attribution_cfg[section]
            if not values:
                continue
            known = {item.name for item in fields(kept[name])}
            check_keys(values, known, f"attribution_cfg.{section}")
            setattr(attributor, name, replace(kept[name], **values))
        yield
    finally:
        for name, value in kept.items():
            setattr(attributor, name, value)


def _save(folder: Path, found: SanityScores) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for step, (layer, maps) in enumerate(zip(found.layers, found.maps, strict=True)):
        path = folder / f"{step:02d}_{layer}.npy"
        aside = folder / f".{path.name}.part"  # written aside, then renamed: whole or not at all
        with aside.open("wb") as file:
            np.save(file, maps[0].float().numpy())
        aside.replace(path)
