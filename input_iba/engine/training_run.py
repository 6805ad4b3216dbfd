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
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.datasets.pixels import load_pixels
from input_iba.engine.build import errors_name
from input_iba.engine.config import RunConfig
from input_iba.engine.device import choose_device
from input_iba.engine.logs import LOGGER, logging_to
from input_iba.engine.memory import keep_freed_memory
from input_iba.engine.precision import choose_precision, precision_name
from input_iba.engine.progress import refresh_seconds
from input_iba.errors import ConfigError, DataError, ResumeError
from input_iba.models.training import LabelledPixels, Trainer, TrainingSettings
from input_iba.results import written_whole

VALIDATION_SHARE = 0.05


@dataclass(frozen=True)
class TrainingOptions:
    """What the command line says.

    Attributes:
        work_dir: Folder of log and resumable state.
        train_root: Folder of the training set in place of `data.estimation.img_root`.
        test_root: Folder of the test set in place of `data.attribution.img_root`.
        device: 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'.
        precision: 'auto', 'fp32' or 'bf16'.
        resume: Continue after the last whole epoch.
    """

    work_dir: Path
    train_root: Path | None = None
    test_root: Path | None = None
    device: str = "auto"
    precision: str = "auto"
    resume: bool = False


@dataclass(frozen=True)
class TrainingResult:
    """What came out.

    Attributes:
        checkpoint: The file with the weights of the best epoch.
        validation: Its accuracy on the pictures held out from the training set.
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
    _check(settings)
    device, warnings = choose_device(options.device)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    options.work_dir.mkdir(parents=True, exist_ok=True)
    with logging_to(options.work_dir / "log_file.log"):
        for warning in warnings:
            LOGGER.warning(warning)
        train_set, test_set = _data_sets(config, options)
        torch.manual_seed(settings.seed)
        with errors_name(config, "attributor.classifier"):
            model = models.build_classifier({**config.classifier, "pretrained": False})
        data, held_out = _read(train_set).split(VALIDATION_SHARE, settings.seed)
        trainer = Trainer(model, data, _prepare(train_set), settings, device, autocast)
        LOGGER.info(
            "%s on %d pictures, %d held out; %s, %s; checkpoint: %s",
            *(type(model).__name__, len(data), len(held_out)),
            *(device, precision_name(autocast), checkpoint),
        )
        identity = {
            "settings": asdict(settings),
            "classifier": {k: v for k, v in config.classifier.items() if k != "pretrained"},
            "data": train_set.fingerprint(),
        }
        best = _train(trainer, held_out, identity, checkpoint, options)
        test = _test(trainer, test_set, checkpoint) if test_set is not None else None
    return TrainingResult(checkpoint, best, test)


def _check(settings: TrainingSettings) -> None:
    for name, value in (
        ("--epochs", settings.epochs),
        ("--batch-size", settings.batch_size),
        ("--lr", settings.lr),
    ):
        if value is not None and not value > 0:
            raise ConfigError(f"{name} must be positive, got {value}.")


def _train(
    trainer: Trainer,
    held_out: LabelledPixels,
    identity: Mapping[str, Any],
    checkpoint: Path,
    options: TrainingOptions,
) -> float:
    """Run the epochs that are left; return the best accuracy on what is held out."""
    latest = options.work_dir / "training_state.pth"
    progress = _resume(trainer, latest, identity, options.resume)
    epochs = trainer.settings.epochs
    for epoch in range(progress.epoch, epochs):
        with tqdm(
            total=trainer.steps,
            desc=f"epoch {epoch + 1}/{epochs}",
            unit="batch",
            mininterval=refresh_seconds(),
        ) as bar:

            def on_step(loss: float, bar: tqdm[None] = bar) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update()

            loss = trainer.train_epoch(epoch, on_step)
        accuracy = trainer.accuracy(held_out)
        LOGGER.info(
            "Epoch %d/%d: loss %.4f, accuracy on held-out pictures %.2f %%",
            *(epoch + 1, epochs, loss, 100 * accuracy),
        )
        progress.epoch = epoch + 1
        if accuracy > progress.best:
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


def _resume(trainer: Trainer, path: Path, identity: Mapping[str, Any], wanted: bool) -> _Progress:
    if not path.exists():
        return _Progress()
    if not wanted:
        raise ResumeError(
            f"'{path.parent}' holds a training already. Add --resume to continue it, or give "
            "another --work-dir."
        )
    found = torch.load(path, map_location=trainer.device, weights_only=True)
    changed = [key for key in identity if found["identity"][key] != identity[key]]
    if changed:
        raise ResumeError(
            f"'{path.parent}' holds a training with other {' and '.join(changed)}: "
            + "; ".join(
                f"{key} {found['identity'][key]} then, {identity[key]} now" for key in changed
            )
            + ". Use the former ones, or another --work-dir."
        )
    trainer.restore(found["trainer"])
    LOGGER.info("Continuing after epoch %d of %d", found["epoch"], trainer.settings.epochs)
    return _Progress(found["epoch"], found["best"])


def _test(trainer: Trainer, test_set: SampleDataset, checkpoint: Path) -> float:
    models.load_checkpoint(trainer.model, checkpoint)
    accuracy = trainer.accuracy(_read(test_set))
    LOGGER.info("Accuracy on the test set: %.2f %%", 100 * accuracy)
    return accuracy


def _checkpoint_path(config: RunConfig) -> Path:
    pretrained = config.classifier.get("pretrained")
    if not isinstance(pretrained, str) or Path(pretrained).suffix not in {".pth", ".pt"}:
        raise ConfigError(
            f"'attributor.classifier.pretrained' of '{config.path}' says where the checkpoint is "
            f"written: expected a path that ends in .pth or .pt, got {pretrained!r}. Set it with "
            "--cfg-options attributor.classifier.pretrained=workdirs/ckpts/net.pth"
        )
    return Path(pretrained)


def _data_sets(
    config: RunConfig, options: TrainingOptions
) -> tuple[SampleDataset, SampleDataset | None]:
    train_cfg, test_cfg = dict(config.estimation_data), dict(config.attribution_data)
    if options.train_root is not None:
        train_cfg["img_root"] = str(options.train_root)
    if options.test_root is not None:
        test_cfg["img_root"] = str(options.test_root)
    with errors_name(config, "data.estimation"):
        train_set = build_dataset(train_cfg)
    if test_cfg.get("img_root") == train_cfg.get("img_root"):
        return train_set, None
    with errors_name(config, "data.attribution"):
        test_set = build_dataset(test_cfg)
        if test_set.class_names != train_set.class_names:
            raise DataError(
                f"Training set and test set have other classes: {train_set.class_names} and "
                f"{test_set.class_names}. Give both the same class folders."
            )
    return train_set, test_set


def _read(dataset: SampleDataset) -> LabelledPixels:
    with tqdm(
        total=len(dataset), desc="pictures", unit="picture", mininterval=refresh_seconds()
    ) as bar:
        return LabelledPixels(*load_pixels(dataset, bar.update))


def _prepare(dataset: SampleDataset) -> Any:
    return dataset.pipeline.normalize or (lambda pixels: pixels)


def _portable(model: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.detach().cpu().contiguous() for k, v in model.state_dict().items()}


def _save(path: Path, content: Mapping[str, Any]) -> None:
    with written_whole(path) as aside:
        torch.save(dict(content), aside)
