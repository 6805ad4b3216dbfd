"""The sanity check as an evaluation command."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from input_iba.drawing import Chart, mean_line
from input_iba.errors import ConfigError, EvaluationError, closest
from input_iba.evaluation import (
    SanityScores,
    cascade,
    edge_map,
    layers_from_the_top,
    sanity_check,
    structural_similarity,
    unit_range,
)
from input_iba.evaluation.base import (
    Case,
    Metric,
    Row,
    Score,
    Setting,
    check_at_least,
)
from input_iba.evaluation.sanity_check import MAPS
from input_iba.records import Failure, FeatureStatistics
from input_iba.results import safe_name, write_mask

LOGGER = logging.getLogger(__name__)

METHODS = ("config", "edge")
"""What is checked: the attributor of the config, or the control, which ignores the weights."""

N_ESTIMATION = 100
"""Samples of the estimation set behind the statistics of every step, unless told otherwise."""


@dataclass(frozen=True)
class SanityMetric(Metric):
    """How similar maps stay while layers are re-initialised; `sanity_check` of the config says how.

    Attributes:
        save_heatmaps: Whether to write the maps of every step.
        method: What makes the maps: 'config', the attributor of the config, or 'edge', an edge
            detector, which every sanity check must find out.
        layers: Names of the layers, the top one first; None for `perturb_layers` of the config.
        n_estimation: Samples behind the statistics of every step; None for those of the config.
        ssim_threshold: Mean similarity after the last layer below which the check is passed.
    """

    name: ClassVar = "sanity_check"
    higher_is_better: ClassVar = {"ssim": False}

    save_heatmaps: bool = False
    method: str = "config"
    layers: Sequence[str] | None = None
    n_estimation: int | None = None
    ssim_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise EvaluationError(f"--method is one of {', '.join(METHODS)}; got {self.method!r}.")
        if self.n_estimation is not None:
            check_at_least("--n-estimation", self.n_estimation, 2)

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""
        how = setting.section
        layers = self.layers or how.get("perturb_layers") or layers_from_the_top(setting.classifier)
        with cascade(setting.classifier, layers, setting.seed):
            pass  # says now what is wrong with the layers, not for every sample
        explain = None if self.method == "edge" else self._explainer(setting, how)
        report = _log if how.get("verbose") else None

        def score(case: Case) -> Row:
            inputs = case.sample.input[None]
            control = found = sanity_check(
                setting.classifier, lambda _: edge_map(inputs), layers, seed=setting.seed
            )
            unchanged = 1.0
            if explain is not None:
                explain.start(case)
                again = explain(setting.classifier).cpu()
                unchanged = structural_similarity(
                    unit_range(again[0]), unit_range(case.heat)
                ).item()
                found = sanity_check(
                    *(setting.classifier, explain, layers, case.heat[None], setting.seed),
                    report=report,
                )
            if self.save_heatmaps:
                _save(setting.beside, case.sample.id, found)
            ssim_all = found.ssim[:, 0].tolist()
            return {
                "ssim": sum(ssim_all) / len(ssim_all),
                "ssim_all": ssim_all,
                "ssim_unchanged": unchanged,
                "control_ssim_all": control.ssim[:, 0].tolist(),
                "layers": list(found.layers),
            }

        return score

    def _explainer(self, setting: Setting, how: Mapping[str, Any]) -> _Explain:
        """Return what explains with the attributor of the config."""
        check = how.get("check", "input_iba")
        if check not in MAPS:
            raise ConfigError(
                f"'sanity_check.check' of '{setting.config_path}' is {check!r}."
                f"{closest(str(check), MAPS)} Known: {', '.join(MAPS)}."
            )
        count = how.get("n_estimation", N_ESTIMATION)
        if type(count) is not int or count < 2:
            raise ConfigError(
                f"'sanity_check.n_estimation' of '{setting.config_path}' must be a number of "
                f"samples of at least 2, got {count!r}."
            )
        return _Explain(setting, MAPS[check], self.n_estimation or count)

    def verdict(self, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Return whether the maps forget the classifier when it forgets what it has learned."""
        own, control = (
            sum(row[key][-1] for row in rows) / len(rows)
            for key in ("ssim_all", "control_ssim_all")
        )
        unchanged = sum(row["ssim_unchanged"] for row in rows) / len(rows)
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
        steps = [float(step + 1) for step in range(len(rows[0]["layers"]))]
        lines = [
            mean_line(label, steps, [row[key] for row in rows])
            for label, key in (
                (f"{self.method}, lower is better", "ssim_all"),
                ("edge detector, which ignores the weights", "control_ssim_all"),
            )
        ]
        layers = rows[0]["layers"]
        title = f"Sanity check, mean of {len(rows)} samples, from {layers[0]} down to {layers[-1]}"
        return Chart(title, "layers re-initialised", "similarity with the original map", lines)


def _log(layer: str, ssim: Tensor) -> None:
    LOGGER.info("re-initialised down to %s: similarity %.4f", layer, float(ssim.mean()))


def _save(beside: Path, id_: str, found: SanityScores) -> None:
    """Write the map of every step as npz: `<result>_heatmaps/<sample>/<step>_<layer>.npz`."""
    folder = beside.with_name(f"{beside.name}_heatmaps") / safe_name(id_)
    for step, (layer, maps) in enumerate(zip(found.layers, found.maps, strict=True)):
        write_mask(folder / f"{step:02d}_{safe_name(layer)}.npz", maps[0].float().numpy())


class _Explain:
    """Explains one sample after the other at every step of the cascade.

    Statistics of the layer are estimated anew once weights have changed. The new weights are the
    same for every sample, so that each step's statistics are estimated for the first one only.

    Args:
        setting: What all samples share.
        kind: Which of its maps is compared.
        count: Samples behind the statistics of every step.
    """

    def __init__(self, setting: Setting, kind: str, count: int) -> None:
        self._setting, self._kind = setting, kind
        self._explainer = setting.make_explainer()
        self._count = count
        self._statistics: list[FeatureStatistics] = []
        self._case: Case | None = None
        self._step = 0

    def start(self, case: Case) -> None:
        """Say which sample is explained from its first step on."""
        self._case, self._step = case, 0

    def __call__(self, _: nn.Module) -> Tensor:
        """Return the map of the classifier as it is now, (1, H, W)."""
        assert self._case is not None
        if self._step == len(self._statistics):
            self._statistics.append(self._estimate())
        self._explainer.statistics = self._statistics[self._step]
        self._step += 1
        inputs, sample = self._case.sample.input[None], self._case.sample
        [found] = self._explainer.attribute(
            *(inputs, [self._case.target]),
            ids=[sample.id],
            seed=self._setting.seed,
            internal_batch_size=self._setting.fitting.halved(tuple(sample.input.shape)),
        )
        if isinstance(found, Failure):
            raise EvaluationError(
                f"The classifier with re-initialised layers could not be explained: {found.reason}"
            )
        maps: Tensor = getattr(found, self._kind)
        return maps[None]

    def _estimate(self) -> FeatureStatistics:
        return self._explainer.estimate(*self._setting.estimation_inputs(self._count))
