"""Train an explainer and an approximator for a black box, and say how faithful they are."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from input_iba.core.precision import choose_precision, precision_name
from input_iba.errors import ConfigError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.run.device import choose_device, keep_freed_memory
from input_iba.run.launchers import terminable
from input_iba.run.logs import LOGGER, logging_to
from input_iba.training.sets import bar
from input_iba.vibi import ExplainedInputs, Fidelity, VibiTrainer, measure_fidelity
from input_iba.vibi.commands.boards import scalar_board
from input_iba.vibi.commands.checkpoints import read_checkpoint, save_checkpoint
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.folder import VibiFolder
from input_iba.vibi.commands.options import VibiOptions, VibiResult
from input_iba.vibi.commands.pictures import write_curves
from input_iba.vibi.commands.prepared import EVALUATION_BATCH, Prepared, prepare_pictures
from input_iba.vibi.commands.texts import prepare_texts

SHOWN = 32
"""Test pictures that are drawn."""

WORK_DIRS = Path("workdirs/vibi")

Prepare = Callable[[VibiConfig, torch.device, torch.dtype | None, int], Prepared]


@dataclass
class _Progress:
    """State between epochs, beside the trainer's."""

    epoch: int = 0
    best: float = -1.0


def run_vibi(
    config: VibiConfig, options: VibiOptions, prepare: Prepare | None = None
) -> VibiResult:
    """Train, choose the best epoch on what is held out, and measure it on the test set.

    Args:
        config: The setting.
        options: What the command line says.
        prepare: Provides data, black box and networks; None for what suits the data set.

    Raises:
        ConfigError: A setting is impossible.
        DataError: The data cannot be read.
        CheckpointError: A checkpoint does not fit.
        ResumeError: The work directory holds another run.
    """
    device, warnings = choose_device(options.device, options.gpu_id)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    folder = VibiFolder(options.work_dir or WORK_DIRS / config.name)
    folder.root.mkdir(parents=True, exist_ok=True)
    with logging_to(folder.log), terminable():
        for warning in warnings:
            LOGGER.warning(warning)
        started = time.perf_counter()
        identity = _identity(config, options, autocast)
        folder.begin(identity, str(device), config.text(), options.resume)
        finished = folder.result()
        if finished is not None:
            LOGGER.info("'%s' is complete: nothing is left to do", folder.root)
            return finished
        suitable = prepare_texts if config.of_texts else prepare_pictures
        prepared = (prepare or suitable)(config, device, autocast, options.seed)
        run = _Run(config, options, folder, prepared, device, started)
        return run.finish(run.train())


def without_beta(config: VibiConfig, work_dir: Path | None) -> Path:
    """Return the best checkpoint of the same setting with beta 0, beside a run's work directory.

    Raises:
        ConfigError: There is none.
    """
    name = re.sub(r"beta[\d_]*\d", "beta0", config.name)
    path = VibiFolder((work_dir or WORK_DIRS / config.name).parent / name).best
    if not path.is_file():
        raise ConfigError(
            f"--jump_start: expected the setting with beta 0 in '{path}', found nothing. Train it "
            "first, or give the checkpoint to start from."
        )
    return path


def _identity(
    config: VibiConfig, options: VibiOptions, autocast: torch.dtype | None
) -> dict[str, Any]:
    plain = config.plain()
    del plain["data"]["root"]  # the same pictures may lie elsewhere
    return {
        **plain,
        "seed": options.seed,
        "precision": precision_name(autocast),
        "jump_start": str(options.jump_start or ""),
    }


class _Run:
    """One run, once everything is ready."""

    def __init__(
        self,
        config: VibiConfig,
        options: VibiOptions,
        folder: VibiFolder,
        prepared: Prepared,
        device: torch.device,
        started: float,
    ) -> None:
        self.config, self.options, self.folder = config, options, folder
        self.ready, self.device, self.started = prepared, device, started
        self.trainer = VibiTrainer(
            *(prepared.vibi, prepared.black_box, prepared.train),
            *(config.training, device, options.seed),
        )
        self.before = 0.0

    def train(self) -> _Progress:
        """Run the epochs that are left."""
        progress = self._resume()
        epochs = self.config.training.epochs
        if progress.epoch == 0 and self.options.jump_start is not None:
            start = read_checkpoint(self.options.jump_start, self.device)
            fit_state_dict(self.ready.vibi, start["vibi"], self.options.jump_start)
            LOGGER.info("Starting from '%s'", self.options.jump_start)
        with scalar_board(self.folder.tensorboard, progress.epoch) as add_scalars:
            for epoch in range(progress.epoch, epochs):
                metrics = self._epoch(epoch, progress)
                add_scalars(metrics, epoch + 1)
                self.folder.add_metrics(metrics)
        return progress

    def _epoch(self, epoch: int, progress: _Progress) -> dict[str, Any]:
        since = time.perf_counter()
        with bar(self.trainer.steps, "batches") as shown:
            means = self.trainer.train_epoch(epoch, lambda _: shown.update())
        found = self._fidelity(self.ready.validation)
        seconds = time.perf_counter() - since
        metrics = {
            "epoch": epoch + 1,
            "seconds": round(seconds, 3),
            **means,
            "lr": self.trainer.optimizer.param_groups[0]["lr"],
            "approximator_fidelity": found.approximator,
            "rationale_fidelity": found.rationale,
            "distance": found.distance,
        }
        LOGGER.info(
            "Epoch %d/%d: loss %.4f, on what is held out: approximator fidelity %.2f %%, "
            "rationale fidelity %.2f %%; %.0f s",
            *(epoch + 1, self.config.training.epochs, means["loss"]),
            *(100 * found.approximator, 100 * found.rationale, seconds),
        )
        if self.options.save_images_every_epoch:
            self._draw(self.folder.pictures / f"epoch_{epoch + 1:03d}")
        progress.epoch = epoch + 1
        content = self._content(metrics)
        # Of equally good epochs the later one: its temperature and learning rate were lower.
        if (score := self._score(found)) >= progress.best:
            progress.best = score
            save_checkpoint(self.folder.best, content)
        state = {"trainer": self.trainer.state(), "best": progress.best}
        save_checkpoint(self.folder.last, content | state)
        return metrics

    def _score(self, found: Fidelity) -> float:
        """Return what the best epoch is chosen by: what the training aims at."""
        if self.config.training.black_box_weight:
            return (found.approximator + found.rationale) / 2
        return found.approximator

    def _content(self, metrics: Mapping[str, Any]) -> dict[str, Any]:
        weights = self.ready.vibi.state_dict()
        return {
            "name": self.config.name,
            "config": self.config.plain(),
            "epoch": metrics["epoch"],
            "class_names": self.ready.class_names,
            "input_shape": list(self.ready.input_shape),
            "vibi": {k: v.detach().cpu().contiguous() for k, v in weights.items()},
            "metrics": dict(metrics),
            "black_box": self.ready.checkpoint,
        }

    def _resume(self) -> _Progress:
        if not self.folder.last.exists():
            self.folder.keep_metrics(0)
            return _Progress()
        content = read_checkpoint(self.folder.last, self.device)
        fit_state_dict(self.ready.vibi, content["vibi"], self.folder.last)
        self.trainer.restore(content["trainer"])
        epoch = int(content["epoch"])
        self.before = self.folder.keep_metrics(epoch - 1)
        # The line of the last epoch is in the checkpoint: a run may have been stopped between.
        self.folder.add_metrics(content["metrics"])
        self.before += float(content["metrics"]["seconds"])
        LOGGER.info("Continuing after epoch %d of %d", epoch, self.config.training.epochs)
        return _Progress(epoch, float(content["best"]))

    def finish(self, progress: _Progress) -> VibiResult:
        """Measure the best epoch, draw it, and write the results."""
        content = read_checkpoint(self.folder.best, self.device)
        fit_state_dict(self.ready.vibi, content["vibi"], self.folder.best)
        validation, test = (self._fidelity(s) for s in (self.ready.validation, self.ready.test))
        self._draw(self.folder.pictures)
        write_curves(self.folder.metrics, self.folder.pictures)
        result = VibiResult(
            *(self.folder.root, validation, test, self.ready.accuracy),
            seconds=round(self.before + time.perf_counter() - self.started, 1),
        )
        self.folder.end(result)
        if self.options.save_best:
            self.folder.last.unlink()
        LOGGER.info(
            "Test set, with epoch %d: approximator fidelity %.2f %%, rationale fidelity %.2f %%",
            *(content["epoch"], 100 * test.approximator, 100 * test.rationale),
        )
        return result

    def _fidelity(self, data: ExplainedInputs) -> Fidelity:
        batches = data.batches(EVALUATION_BATCH)
        return measure_fidelity(self.ready.vibi, self.ready.black_box, batches)

    def _draw(self, folder: Path) -> None:
        self.ready.vibi.eval()
        inputs = self.ready.test.evenly(SHOWN)
        self.ready.draw(self.ready.vibi, self.ready.black_box, inputs, folder)
