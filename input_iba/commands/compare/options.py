"""What the command line decides about a comparison, beside the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from input_iba.commands.evaluate.options import EvaluationOptions


@dataclass(frozen=True)
class CompareOptions:
    """Options of a comparison.

    Attributes:
        work_dirs: What made the maps: work directories, or folders of maps in them.
        out: Folder of the result.
        names: One name per work directory, or None for the folders' names.
        against: Method that the others are compared with; None for the first.
        num_samples: Samples to score, drawn at random; 0 for all.
        scores_threshold: Target probability below which samples are left out.
        allow_missing: Score each method on every sample that it has a map of.
        resume: Go on with the rows that are there.
        seed: Seed of what is drawn.
        device: 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'.
        gpu_id: Index of a GPU; falls back to the CPU.
        precision: 'auto', 'fp32' or 'bf16', of the classifier.
        progress_bar: True shows the bar, False hides it, None shows it on a terminal.
        cfg_options: Overrides of keys of the first work directory's config.
    """

    work_dirs: Sequence[Path]
    out: Path
    names: Sequence[str] | None = None
    against: str | None = None
    num_samples: int = 0
    scores_threshold: float = 0.6
    allow_missing: bool = False
    resume: bool = False
    seed: int = 0
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "fp32"
    progress_bar: bool | None = None
    cfg_options: Mapping[str, Any] = field(default_factory=dict)

    def evaluation(self, folder: Path) -> EvaluationOptions:
        """Return the options of one evaluation of the maps in a folder."""
        return EvaluationOptions(
            work_dir=self.out,
            file_name="compare",
            heatmap_dir=folder,
            device=self.device,
            gpu_id=self.gpu_id,
            precision=self.precision,
            seed=self.seed,
            num_samples=self.num_samples,
            scores_threshold=self.scores_threshold,
            resume=self.resume,
            allow_missing=self.allow_missing,
            progress_bar=self.progress_bar,
        )
