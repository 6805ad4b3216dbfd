"""Train an explainer and an approximator for a black box, and say how faithful they are."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from input_iba.errors import ConfigError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.run.shell import LOGGER, Run, opened
from input_iba.training.loop import Loop
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.commands.folder import VibiFolder, VibiResult
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.prepared import FORMAT, Prepared, prepare, read_checkpoint
from input_iba.vibi.commands.sheets import write_curves
from input_iba.vibi.fidelity import code_note, measure_fidelity
from input_iba.vibi.trainer import VibiTrainer

SHOWN = 32
"""Test inputs that are drawn."""

WORK_DIRS = Path("workdirs/vibi")


def run_vibi(config: VibiConfig, options: VibiOptions) -> VibiResult:
    """Train, choose the best epoch on what is held out, and measure it on the test set.

    Raises:
        ConfigError: A setting is impossible.
        DataError: The data cannot be read.
        CheckpointError: A checkpoint does not fit.
        ResumeError: The work directory holds another run.
    """
    folder = VibiFolder(options.work_dir or WORK_DIRS / config.name)
    with opened(folder.log, options, seed=options.seed, resume="--resume_training") as run:
        started = time.perf_counter()
        identity = config.plain() | {
            "seed": options.seed,
            "precision": run.precision,
            "jump_start": str(options.jump_start or ""),
        }
        del identity["data"]["root"]  # the same data may lie elsewhere
        folder.begin(identity, str(run.device), config.text(), options.resume)
        result = folder.result()
        if result is not None:
            LOGGER.info("'%s' is complete: nothing is left to do", folder.root)
            folder.complete()
        else:
            ready = prepare(config, run)
            earlier = _train(config, options, folder, ready, run)
            result = _finish(folder, ready, run, started - earlier)
        if options.save_best:
            folder.last.unlink(missing_ok=True)
        return result


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


def _train(
    config: VibiConfig, options: VibiOptions, folder: VibiFolder, ready: Prepared, run: Run
) -> float:
    """Run the epochs that are left; return the seconds that earlier starts took."""
    networks = ready.networks
    trainer = VibiTrainer(
        networks.vibi,
        networks.black_box,
        ready.train,
        config.training,
        run.device,
        options.seed,
        ready.validation,
    )

    def facts(metrics: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "name": config.name,
            "config": config.plain(),
            "epoch": metrics["epoch"],
            "class_names": list(ready.class_names),
            "input_shape": list(networks.input_shape),
            "metrics": dict(metrics),
            "black_box": networks.weights,
        }

    def on_epoch(metrics: Mapping[str, Any]) -> None:
        if options.save_images_every_epoch:
            place = folder.pictures / f"epoch_{metrics['epoch']:03d}"
            _draw(
                ready,
                place,
                code_note(metrics["approximator_fidelity"], metrics["rationale_fidelity"]),
            )
        for name, value in metrics.items():
            if board is not None and name != "epoch":
                board.add_scalar(name, value, metrics["epoch"])
        folder.add_metrics(metrics)

    loop = Loop(trainer, folder.best, folder.last, "vibi", facts, on_epoch=on_epoch)
    done, best = loop.resume(run.device)
    earlier = folder.keep_metrics(done)
    if done == 0 and options.jump_start is not None:
        start = read_checkpoint(options.jump_start, run.device)
        fit_state_dict(networks.vibi, start["vibi"], options.jump_start)
        LOGGER.info("Starting from '%s'", options.jump_start)
    with _scalar_board(folder.tensorboard, done) as board:
        loop.run(done, best)
    return earlier


def _finish(folder: VibiFolder, ready: Prepared, run: Run, started: float) -> VibiResult:
    """Measure the best epoch, draw it, and write the results."""
    content = read_checkpoint(folder.best, run.device)
    fit_state_dict(ready.networks.vibi, content["vibi"], folder.best)
    vibi, black_box = ready.networks.vibi, ready.networks.black_box
    validation, test = (
        measure_fidelity(vibi, black_box, data.batches(data.measured))
        for data in (ready.validation, ready.test)
    )
    _draw(ready, folder.pictures, test.note)
    write_curves(folder.metrics, folder.pictures, test.note)
    seconds = round(time.perf_counter() - started, 1)
    result = VibiResult(folder.root, validation, test, ready.accuracy, seconds)
    folder.end(result)
    LOGGER.info("Test set, with epoch %d: %s", content["epoch"], test.text())
    if test.warning:
        LOGGER.warning("%s.", test.warning)
    return result


def _draw(ready: Prepared, folder: Path, note: str) -> None:
    ready.networks.vibi.eval()
    ready.kind.draw(ready.networks, ready.test.evenly(SHOWN), ready.class_names, folder, note)


def _scalar_board(folder: Path, done: int) -> AbstractContextManager[Any]:
    """Return what shows numbers in TensorBoard, or lends None where that is not installed.

    What a stopped run wrote after the epochs that are done is not shown.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return nullcontext()
    writer: AbstractContextManager[Any] = SummaryWriter(str(folder), purge_step=done + 1)
    return writer
