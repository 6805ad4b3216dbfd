"""The black box of a run: trained when it has no weights yet, read when it has."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from input_iba import models
from input_iba.registry import CLASSIFIERS
from input_iba.results import written_whole
from input_iba.run.logs import LOGGER
from input_iba.training.images import PictureTrainer, PictureTraining
from input_iba.training.sets import bar
from input_iba.vibi.black_box_training import BlackBoxTrainer
from input_iba.vibi.commands.config import BlackBoxSettings, VibiConfig
from input_iba.vibi.commands.data import Pictures

FOLDER = Path("workdirs/vibi/black_boxes")
"""Where black boxes are kept whose checkpoint the config does not name."""


@dataclass(frozen=True)
class TrainedBlackBox:
    """A classifier to be explained.

    Attributes:
        classifier: In eval mode, on the device.
        accuracy: Share of the test set that it classifies rightly.
        checkpoint: The file with its weights; empty where the config's `pretrained` says where
            they come from.
    """

    classifier: nn.Module
    accuracy: float
    checkpoint: str


def classifier_config(settings: BlackBoxSettings, channels: int, classes: int) -> dict[str, Any]:
    """Return the classifier's config with channels and classes of the data filled in."""
    cfg = dict(settings.classifier)
    if "type" not in cfg:
        cfg |= {"source": "custom", "type": "ConvNet"}
    if not cfg.get("pretrained"):
        cfg.setdefault("num_classes", classes)
    kind = CLASSIFIERS.get(str(cfg.get("type"))) if cfg.get("source") == "custom" else None
    if kind is not None and "in_channels" in inspect.signature(kind).parameters:
        cfg.setdefault("in_channels", channels)
    return cfg


def checkpoint_path(
    config: VibiConfig, cfg: Mapping[str, Any], fingerprint: str, seed: int
) -> Path:
    """Return where the weights of a black box lie: the same for equal ones.

    Args:
        config: Of the run.
        cfg: Config of the classifier.
        fingerprint: Of the training set.
        seed: Of its training.
    """
    settings = config.black_box
    if settings.checkpoint:
        return Path(settings.checkpoint)
    how = {k: v for k, v in asdict(settings).items() if k not in ("checkpoint", "classifier")}
    identity = [dict(cfg), how, fingerprint, config.data.num_train, config.data.mean, seed]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    return FOLDER / f"{config.data.dataset}_{cfg['type']}_{digest}.pth".lower()


def provide_black_box(
    config: VibiConfig,
    pictures: Pictures,
    device: torch.device,
    autocast: torch.dtype | None,
    seed: int,
) -> TrainedBlackBox:
    """Load the black box, after training it when its checkpoint does not exist.

    Raises:
        ConfigError: The classifier's config is wrong, or has fewer outputs than there are classes.
        CheckpointError: The checkpoint does not fit.
    """
    settings = config.black_box
    cfg = classifier_config(settings, pictures.shape[0], len(pictures.class_names))
    if cfg.get("pretrained"):
        path = None
    else:
        path = checkpoint_path(config, cfg, pictures.fingerprints[0], seed)
    torch.manual_seed(seed)
    model = models.build_classifier(cfg).to(device)
    trainer = _trainer(model, settings, pictures, device, autocast, seed)
    if path is not None and not path.exists():
        _train(trainer, path, pictures)
    elif path is not None:
        LOGGER.info("Black box: '%s' exists and is not trained again", path)
    if path is not None:
        models.load_checkpoint(model, path)
    accuracy = trainer.accuracy(pictures.test)
    LOGGER.info("Black box %s: accuracy %.2f %% on the test set", cfg["type"], 100 * accuracy)
    return TrainedBlackBox(model.eval(), accuracy, str(path or ""))


def build_like_black_box(config: VibiConfig, channels: int, classes: int) -> nn.Module:
    """Build a classifier with the black box's layers, without its weights.

    Args:
        config: Of the run.
        channels: Of the pictures.
        classes: Of the data.
    """
    cfg = classifier_config(config.black_box, channels, classes)
    return models.build_classifier({**cfg, "pretrained": False})


def load_black_box(
    config: VibiConfig, channels: int, classes: int, weights: Path | str, device: torch.device
) -> nn.Module:
    """Build the classifier that a trained explainer explains, with its weights.

    Args:
        config: Of the run that trained the explainer.
        channels: Of the pictures.
        classes: Of the data.
        weights: File with its weights; empty where the config's `pretrained` names them.
        device: Where to compute.

    Raises:
        CheckpointError: The file is absent or does not fit.
    """
    model = models.build_classifier(classifier_config(config.black_box, channels, classes))
    if str(weights):
        models.load_checkpoint(model, weights)
    return model.to(device).eval()


def _trainer(
    model: nn.Module,
    settings: BlackBoxSettings,
    pictures: Pictures,
    device: torch.device,
    autocast: torch.dtype | None,
    seed: int,
) -> PictureTrainer:
    how = PictureTraining(
        epochs=settings.epochs,
        lr=settings.lr or None,
        batch_size=settings.batch_size,
        seed=seed,
        padding=settings.padding,
    )
    return BlackBoxTrainer(
        *(model, pictures.train, pictures.normalize, how, device, autocast),
        flip=settings.flip,
        hidden_chunks=settings.hidden_chunks,
    )


def _train(trainer: PictureTrainer, path: Path, pictures: Pictures) -> None:
    """Train and write the checkpoint; its epochs are few, so a stopped training starts again."""
    epochs = trainer.settings.epochs
    for epoch in range(epochs):
        with bar(trainer.steps, "batches") as progress:

            def on_step(_: float, progress: tqdm[None] = progress) -> None:
                progress.update()

            loss = trainer.train_epoch(epoch, on_step)
        LOGGER.info(
            "Black box, epoch %d/%d: loss %.4f, accuracy on what is held out %.2f %%",
            *(epoch + 1, epochs, loss, 100 * trainer.accuracy(pictures.validation)),
        )
    weights = {k: v.detach().cpu().contiguous() for k, v in trainer.model.state_dict().items()}
    with written_whole(path) as aside:
        torch.save({"state_dict": weights}, aside)
