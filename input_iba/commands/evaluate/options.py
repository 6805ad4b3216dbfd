"""What the command line decides about an evaluation, beside config and metric."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EvaluationOptions:
    """Options that all evaluation commands share.

    Attributes:
        work_dir: Folder of the result.
        file_name: Name of the result in it; ends in `.json`, or gets that ending.
        heatmap_dir: Folder of the maps; None for a metric without maps.
        device: 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'.
        gpu_id: Index of a GPU, as older commands give it; falls back to the CPU.
        precision: 'auto', 'fp32' or 'bf16', of the classifier.
        seed: Seed of what is drawn: the choice of samples, and what the metric draws.
        num_samples: Samples to score, drawn at random; 0 for all.
        scores_file: JSON file of target probabilities; None lets the classifier say.
        scores_threshold: Target probability below which samples are left out.
        resume: Go on with the rows that are there.
        allow_missing: Leave out samples without a map instead of refusing to run.
        progress_bar: True shows the bar, False hides it, None shows it on a terminal.
    """

    work_dir: Path
    file_name: str
    heatmap_dir: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "fp32"
    seed: int = 0
    num_samples: int = 0
    scores_file: Path | None = None
    scores_threshold: float = 0.6
    resume: bool = False
    allow_missing: bool = False
    progress_bar: bool | None = None

    @property
    def path(self) -> Path:
        """The JSON file."""
        path = self.work_dir / self.file_name
        return path if path.suffix == ".json" else path.with_name(f"{path.name}.json")
