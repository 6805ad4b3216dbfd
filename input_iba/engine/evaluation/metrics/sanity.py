"""The sanity check as an evaluation command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor
from input_iba.engine.build import build_attributor
from input_iba.engine.evaluation.metrics.base import Case, Metric, Row, Score, Setting
from input_iba.engine.loading import cut, read_batches
from input_iba.engine.logs import LOGGER
from input_iba.errors import ConfigError, EvaluationError, closest
from input_iba.evaluation import SanityScores, cascade, layers_from_the_top, sanity_check
from input_iba.evaluation.sanity_check import MAPS
from input_iba.records import Failure, FeatureStatistics, Sample
from input_iba.results import safe_name, write_mask
from input_iba.visualization import Chart, mean_line


@dataclass(frozen=True)
class SanityMetric(Metric):
    """How similar maps stay while layers are re-initialised; `sanity_check` of the config says how.

    Attributes:
        save_heatmaps: Whether to write the maps of every step.
    """

    name: ClassVar = "sanity_check"
    higher_is_better: ClassVar = {"ssim": False}

    save_heatmaps: bool = False

    def scorer(self, setting: Setting) -> Score:
        """Return the function that scores a sample."""
        how = setting.config.raw.get("sanity_check") or {}
        check = how.get("check", "input_iba")
        if check not in MAPS:
            raise ConfigError(
                f"'sanity_check.check' of '{setting.config.path}' is {check!r}."
                f"{closest(str(check), MAPS)} Known: {', '.join(MAPS)}."
            )
        layers = how.get("perturb_layers") or layers_from_the_top(setting.classifier)
        with cascade(setting.classifier, layers, setting.seed):
            pass  # says now what is wrong with the layers, not for every sample
        attributor = build_attributor(
            setting.config, setting.classifier, setting.device, setting.autocast
        )
        assert isinstance(attributor, Attributor)
        explain = _Explain(setting, attributor, MAPS[check])
        report = _log if how.get("verbose") else None

        def score(case: Case) -> Row:
            explain.start(case)
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
                "layers": list(found.layers),
            }

        return score

    def values(self, row: Row) -> dict[str, float]:
        """Return the mean over the layers, and the similarity after every layer."""
        return {"ssim": row["ssim"], **dict(zip(row["layers"], row["ssim_all"], strict=True))}

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the mean similarity after every layer."""
        steps = [float(step + 1) for step in range(len(rows[0]["layers"]))]
        lines = [mean_line("lower is better", steps, [row["ssim_all"] for row in rows])]
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
    """

    def __init__(self, setting: Setting, attributor: Attributor, kind: str) -> None:
        self._setting, self._attributor, self._kind = setting, attributor, kind
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
        self._attributor.statistics = self._statistics[self._step]
        self._step += 1
        inputs, sample = self._case.sample.input[None], self._case.sample
        [found] = self._attributor.attribute(
            inputs, [self._case.target], ids=[sample.id], seed=self._setting.seed
        )
        if isinstance(found, Failure):
            raise EvaluationError(
                f"The classifier with re-initialised layers could not be explained: {found.reason}"
            )
        maps: Tensor = getattr(found, self._kind)
        return maps[None]

    def _estimate(self) -> FeatureStatistics:
        config = self._setting.config
        estimation_set = self._setting.estimation_set
        # Evenly spread over the set, which is sorted by class as a rule.
        count = min(config.estimation.n_samples, len(estimation_set))
        chosen = [i * len(estimation_set) // count for i in range(count)]
        batches = read_batches(estimation_set, cut(chosen, 8), config.loader.num_workers)
        inputs = (
            torch.stack([item.input for item in items if isinstance(item, Sample)])
            for items in batches
            if any(isinstance(item, Sample) for item in items)
        )
        return self._attributor.estimate(inputs, count)
