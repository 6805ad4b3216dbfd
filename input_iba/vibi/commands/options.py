"""What the command line says about a run of VIBI, beside the config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.vibi import Fidelity


@dataclass(frozen=True)
class VibiOptions:
    """How to run.

    Attributes:
        work_dir: Folder of all that is written; None for `workdirs/vibi/<setting>`.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        gpu_id: Index of the GPU, as older commands give it.
        precision: 'auto', 'fp32' or 'bf16'.
        seed: Of everything that is drawn.
        resume: Continue after the last whole epoch.
        save_best: Keep only the best checkpoint once the training is complete.
        save_images_every_epoch: Draw explanations after every epoch, not only at the end.
        jump_start: Checkpoint whose weights the training starts from; None for random ones.
    """

    work_dir: Path | None = None
    device: str = "auto"
    gpu_id: int | None = None
    precision: str = "auto"
    seed: int = 0
    resume: bool = False
    save_best: bool = False
    save_images_every_epoch: bool = False
    jump_start: Path | None = None


@dataclass(frozen=True)
class VibiResult:
    """What came out.

    Attributes:
        work_dir: Where everything is.
        validation: Fidelities of the best epoch on what is held out.
        test: Its fidelities on the test set.
        black_box_accuracy: Of the black box, on the test set.
        seconds: From start to end, over all starts.
    """

    work_dir: Path
    validation: Fidelity
    test: Fidelity
    black_box_accuracy: float
    seconds: float
