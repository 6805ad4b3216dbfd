"""What the command line decides about an evaluation, beside config and metric."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.run.launchers import Launcher
from input_iba.run.options import ComputeOptions, LaunchOptions
from input_iba.settings import REQUIRED, setting


@dataclass(frozen=True, kw_only=True)
class ScoringOptions(ComputeOptions):
    """Options of commands that score maps."""

    scores_file: Path | None = setting(
        None, "target probabilities from `evaluate target_scores` (default: ask the classifier)"
    )
    num_samples: int = setting(0, "score N samples drawn at random; 0 for all", at_least=0)
    scores_threshold: float = setting(
        0.6, "leave out samples whose target is less probable", metavar="P"
    )
    allow_missing: bool = setting(
        False, "leave out samples without a map; without this they are an error"
    )
    resume: bool = setting(False, "keep the samples that are scored already")
    # Scores are differences of probabilities and logits, which rounding to bf16 would swallow.
    precision: str = "fp32"


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(LaunchOptions, ScoringOptions):
    """Options that all evaluation commands share."""

    launcher: Launcher = setting(
        "none", "let processes that ray starts share the samples", choices=("none", "ray")
    )

    heatmap_dir: Path | None = setting(
        None,
        "folder of maps named by sample: npz (key mask or map), npy, or png; or a work directory, "
        "for its maps, or its input masks where it has no maps",
        flag="HEATMAP_DIR",
    )
    work_dir: Path = setting(REQUIRED, "folder of the result", flag="WORK_DIR")
    file_name: str = setting(REQUIRED, "name of the JSON file in it", flag="FILE_NAME")

    @property
    def path(self) -> Path:
        """The JSON file, whose name gets the ending `.json` where it lacks it."""
        path = self.work_dir / self.file_name
        return path if path.suffix == ".json" else path.with_name(f"{path.name}.json")
