"""Train the classifier of a config and write its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from input_iba import models
from input_iba.config.build import errors_name
from input_iba.config.load import RunConfig
from input_iba.core.precision import choose_precision, precision_name
from input_iba.errors import ConfigError, ResumeError
from input_iba.results import written_whole
from input_iba.run.device import choose_device, keep_freed_memory
from input_iba.run.logs import LOGGER, logging_to
from input_iba.run.progress import refresh_seconds
from input_iba.training.classifier import Trainer, TrainingSettings
from input_iba.training.data import training_data
from input_iba.training.sets import Learner, TrainingData, TrainingOptions


@dataclass(frozen=True)
class TrainingResult:
    """What came out.

    Attributes:
        checkpoint: The file with the weights of the best epoch.
        validation: Its accuracy on what is held out of the training set.
        test: Its accuracy on the test set, or None where that is the training set.
    """

    checkpoint: Path
    validation: float
    test: float | None


@dataclass
class _Progress:
    """State between epochs, beside the trainer's."""

    epoch: int = 0
    best: float = -1.0


def run_training(
    config: RunConfig, settings: TrainingSettings, options: TrainingOptions
) -> TrainingResult:
    """Train on `data.estimation`, choose the best epoch on 5 % held out, test on the rest.

    The checkpoint goes where `attributor.classifier.pretrained` points.

    Raises:
        ConfigError: `pretrained` is no path, or a setting is impossible.
        DataError: The data cannot be read.
        ResumeError: The work directory holds a training with other settings.
    """
    checkpoint = _checkpoint_path(config)
    device, warnings = choose_device(options.device, options.gpu_id)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    options.work_dir.mkdir(parents=True, exist_ok=True)
    with logging_to(options.work_dir / "log_file.log"):
        for warning in warnings:
            LOGGER.warning(warning)
        torch.manual_seed(settings.seed)
        with errors_name(config, "attributor.classifier"):
            model = models.build_classifier({**config.classifier, "pretrained": False})
        data = training_data(config, settings, options, Learner(model.to(device), device, autocast))
        trained_on, held_out = data.read_and_split(options.num_samples, settings.seed)
        trainer = data.make_trainer(trained_on)
        LOGGER.info(
            "%s on %d %s, %d held out; %s, %s; checkpoint: %s",
            *(type(model).__name__, len(trained_on.targets), data.noun, len(held_out.targets)),
            *(device, precision_name(autocast), checkpoint),
        )
        identity = {
            "settings": asdict(settings),
            "classifier": {k: v for k, v in config.classifier.items() if k != "pretrained"},
            "data": data.train_set.fingerprint(),
            **({"num_samples": options.num_samples} if options.num_samples else {}),
        }
        best = _train(trainer, held_out, identity, checkpoint, options)
        test = _test(trainer, data, checkpoint, options) if data.test_set is not None else None
    return TrainingResult(checkpoint, best, test)


def _train(
    trainer: Trainer[Any],
    held_out: Any,
    identity: Mapping[str, Any],
    checkpoint: Path,
    options: TrainingOptions,
) -> float:
    """Run the epochs that are left; return the best accuracy on what is held out."""
    latest = options.work_dir / "training_state.pth"
    progress = _resume(trainer, latest, identity, options.resume)
    epochs = trainer.settings.epochs
    for epoch in range(progress.epoch, epochs):
        with _bar(trainer.steps, f"epoch {epoch + 1}/{epochs}", "batches") as bar:

            def on_step(loss: float, bar: tqdm[None] = bar) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()

            loss = trainer.train_epoch(epoch, on_step)
        accuracy = trainer.accuracy(held_out)
        LOGGER.info(
            "Epoch %d/%d: loss %.4f, accuracy on what is held out %.2f %%",
            *(epoch + 1, epochs, loss, 100 * accuracy),
        )
        progress.epoch = epoch + 1
        # Of equally good epochs the later one: its learning rate was lower.
        if accuracy >= progress.best:
            progress.best = accuracy
            _save(checkpoint, {"state_dict": _portable(trainer.model), "accuracy": accuracy})
        _save(
            latest,
            {
                "trainer": trainer.state(),
                "identity": dict(identity),
                "epoch": progress.epoch,
                "best": progress.best,
            },
        )
    return progress.best


def _resume(
    trainer: Trainer[Any], path: Path, identity: Mapping[str, Any], wanted: bool
) -> _Progress:
    if not path.exists():
        return _Progress()
    if not wanted:
        raise ResumeError(
            f"'{path.parent}' holds a training already. Add --resume to continue it, or give "
            "another --work-dir."
        )
    found = torch.load(path, map_location=trainer.device, weights_only=True)
    then = found["identity"]
    # A key that is absent has its default: the number of samples, when all are taken.
    changed = [key for key in {**then, **identity} if then.get(key) != identity.get(key)]
    if changed:
        raise ResumeError(
            f"'{path.parent}' holds a training with other {' and '.join(changed)}: "
            + "; ".join(
                f"{key} {then.get(key, 'all')} then, {identity.get(key, 'all')} now"
                for key in changed
            )
            + ". Use the former ones, or another --work-dir."
        )
    trainer.restore(found["trainer"])
    LOGGER.info("Continuing after epoch %d of %d", found["epoch"], trainer.settings.epochs)
    return _Progress(found["epoch"], found["best"])


def _test(
    trainer: Trainer[Any], data: TrainingData, checkpoint: Path, options: TrainingOptions
) -> float:
    models.load_checkpoint(trainer.model, checkpoint)
    samples = data.read_test(options.num_test_samples, trainer.settings.seed)
    with _bar(len(samples.targets), "test", data.noun) as bar:
        accuracy = trainer.accuracy(samples, bar.update)
    LOGGER.info("Accuracy on the test set: %.2f %%", 100 * accuracy)
    return accuracy


def _bar(total: int, description: str, unit: str) -> Any:
    return tqdm(total=total, desc=description, unit=f" {unit}", mininterval=refresh_seconds())


def _checkpoint_path(config: RunConfig) -> Path:
    pretrained = config.classifier.get("pretrained")
    if not isinstance(pretrained, str) or Path(pretrained).suffix not in {".pth", ".pt"}:
        raise ConfigError(
            f"'attributor.classifier.pretrained' of '{config.path}' says where the checkpoint is "
            f"written: expected a path that ends in .pth or .pt, got {pretrained!r}. Set it with "
            "--cfg-options attributor.classifier.pretrained=workdirs/ckpts/net.pth"
        )
    return Path(pretrained)


def _portable(model: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}


def _save(path: Path, content: Mapping[str, Any]) -> None:
    with written_whole(path) as aside:
        torch.save(dict(content), aside)
