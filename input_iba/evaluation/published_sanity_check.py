"""The class with the published call of the sanity check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from input_iba.core.files import written_whole
from input_iba.core.maps import as_map
from input_iba.errors import EvaluationError, closest
from input_iba.evaluation.explain_again import map_of
from input_iba.evaluation.sanity_check import MAPS, log_step, sanity_check
from input_iba.registry import check_keys

STAGES = {"feat_iba": "feature_iba", "gan": "prior", "input_iba": "input_iba"}
"""Which settings of an attributor a section of `attribution_cfg` is about."""


@dataclass(eq=False)
class SanityCheck:
    """Sanity check of an attributor, one image at a time.

    The attributor and its classifier come back from every call as they were.

    Attributes:
        attributor: Explains, as `Attributor` does; it must know the statistics of its layer.
        estimation: Batches (B, C, H, W) from which the statistics are estimated anew whenever
            weights have changed. Without them the statistics stay those of the trained classifier,
            which no longer describe a layer once it or one below it is re-initialised.
        seed: Seeds the new weights and the attribution.
        window: Pixels per side of the window of the similarity, odd.
    """

    attributor: Any
    estimation: Sequence[Tensor] | None = None
    seed: int = 0
    window: int = 11

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
            heatmap: The map of the trained classifier, (H, W).
            input_tensor: Normalised input, (C, H, W) or (1, C, H, W).
            target: Class index.
            attribution_cfg: Settings of the stages `feat_iba`, `gan` and `input_iba` that differ
                from the attributor's own, as a config has them.
            perturb_layers: Names of layers, the top one first; None for all of them.
            check: What `heatmap` is: the map ('input_iba'), 'input_mask', 'gan' (of the prior) or
                'feat_iba'.
            verbose: Whether to log the similarity after every layer.
            save_dir: Folder for the maps.
            save_heatmaps: Whether to write them: `<step>_<layer>.npy`, float32 (H, W).

        Returns:
            `ssim_all`, a list of one similarity per layer; lower is better.

        Raises:
            InputIBAError: A key or layer is unknown, or maps cannot be made, compared or saved.
        """
        if check not in MAPS:
            raise EvaluationError(
                f"Unknown check {check!r}.{closest(check, MAPS)} Known: {', '.join(MAPS)}."
            )
        if save_heatmaps and save_dir is None:
            raise EvaluationError("save_heatmaps needs save_dir, the folder for the maps.")
        inputs = input_tensor if input_tensor.ndim == 4 else input_tensor[None]

        def explain(_: nn.Module) -> Tensor:
            if self.estimation is not None:
                self.attributor.estimate(self.estimation)
            [result] = self.attributor.attribute(inputs, [int(target)], seed=self.seed)
            return map_of(result, MAPS[check])

        with _configured(self.attributor, attribution_cfg or {}):
            found = sanity_check(
                self.attributor.classifier.model,
                explain,
                perturb_layers,
                as_map(heatmap)[None],
                self.seed,
                self.window,
                log_step if verbose else None,
            )
        if save_heatmaps:
            for step, (layer, maps) in enumerate(zip(found.layers, found.maps, strict=True)):
                path = Path(str(save_dir)) / f"{step:02d}_{layer}.npy"
                with written_whole(path) as aside, aside.open("wb") as file:
                    np.save(file, maps[0].float().numpy())
        return {"ssim_all": found.ssim[:, 0].tolist()}


@contextmanager
def _configured(attributor: Any, attribution_cfg: Mapping[str, Any]) -> Iterator[None]:
    """Change settings of an attributor, and give it its own and its statistics back."""
    kept = {name: getattr(attributor, name) for name in (*STAGES.values(), "statistics")}
    try:
        for section, name in STAGES.items():
            if values := attribution_cfg.get(section):
                known = {item.name for item in fields(kept[name])}
                check_keys(values, known, f"attribution_cfg.{section}")
                setattr(attributor, name, replace(kept[name], **values))
        yield
    finally:
        for name, value in kept.items():
            setattr(attributor, name, value)
