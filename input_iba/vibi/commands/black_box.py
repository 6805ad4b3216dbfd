"""The black box of images: trained when it has no weights yet, read when it has."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from input_iba import models
from input_iba.datasets.normalization import Normalize
from input_iba.registry import CLASSIFIERS
from input_iba.run.shell import LOGGER, Run
from input_iba.training.loop import Loop, portable, save
from input_iba.vibi.black_box import BlackBox, BlackBoxTrainer, BlackBoxTraining
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.inputs import Samples
from input_iba.vibi.settings import BlackBoxSettings

FOLDER = Path("workdirs/vibi/black_boxes")
"""Where black boxes are kept whose checkpoint the config does not name."""


def classifier_config(settings: BlackBoxSettings, channels: int, classes: int) -> dict[str, Any]:
    """Return the classifier's config with channels and classes of the data filled in."""
    cfg = dict(settings.classifier)
    if "type" not in cfg:
        cfg = {"width": 16} | cfg | {"source": "custom", "type": "ConvNet"}
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

    `fingerprint` is that of the training set.
    """
    settings = config.black_box
    if settings.checkpoint:
        return Path(settings.checkpoint)
    how = {k: v for k, v in asdict(settings).items() if k not in ("checkpoint", "classifier")}
    identity = [dict(cfg), how, fingerprint, config.data.num_train, config.data.mean, seed]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    return FOLDER / f"{config.data.dataset}_{cfg['type']}_{digest}.pth".lower()


def provide_black_box(config: VibiConfig, samples: Samples, run: Run) -> str:
    """Train the black box unless its weights exist; return their file.

    Returns:
        The file; empty where the config's `pretrained` says where the weights come from.

    Raises:
        ConfigError: The classifier's config is wrong, or has fewer outputs than there are classes.
    """
    settings, train = config.black_box, samples.train
    cfg = classifier_config(settings, train.inputs.shape[1], len(samples.class_names))
    if cfg.get("pretrained"):
        return ""
    path = checkpoint_path(config, cfg, samples.fingerprint, run.seed)
    if path.exists():
        LOGGER.info("Black box: '%s' exists and is not trained again", path)
        return str(path)
    torch.manual_seed(run.seed)
    names = ("epochs", "batch_size", "padding", "flip", "hidden_chunks")
    how = BlackBoxTraining(
        **{name: getattr(settings, name) for name in names}, lr=settings.lr or None, seed=run.seed
    )
    normalize = Normalize(config.data.mean, config.data.std)
    model = models.build_classifier(cfg)
    trainer = BlackBoxTrainer(
        model, train, normalize, how, run.device, run.autocast, samples.validation
    )
    # Its epochs are few: a stopped training starts again, and the last epoch is kept.
    Loop(trainer, name="Black box").run()
    save(path, {"state_dict": portable(trainer.model)})
    return str(path)


def build_like_black_box(config: VibiConfig, channels: int, classes: int) -> nn.Module:
    """Build a classifier with the black box's layers, without its weights."""
    cfg = classifier_config(config.black_box, channels, classes)
    return models.build_classifier({**cfg, "pretrained": False})


def load_black_box(
    config: VibiConfig, channels: int, classes: int, weights: str, run: Run
) -> BlackBox:
    """Build the black box of images with its weights; '' where `pretrained` names them."""
    model = models.build_classifier(classifier_config(config.black_box, channels, classes))
    if weights:
        models.load_checkpoint(model, weights)
    model = model.to(memory_format=torch.channels_last).to(run.device).eval()
    return BlackBox(model, Normalize(config.data.mean, config.data.std), run.autocast)
