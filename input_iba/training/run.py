"""Train the classifier of a config and write its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from input_iba import models
from input_iba.config.build import errors_name
from input_iba.config.load import RunConfig
from input_iba.core.tensor_files import SAFE
from input_iba.errors import ConfigError
from input_iba.results import may_continue
from input_iba.run.shell import LOGGER, opened
from input_iba.training.classifier import ClassifierTrainer, split
from input_iba.training.data import VALIDATION_SHARE, TrainingData, training_data
from input_iba.training.loop import Loop, made_with, progress_bar
from input_iba.training.settings import TrainingOptions, TrainingSettings


@dataclass(frozen=True)
class TrainingResult:
    """File of the best epoch's weights, and its accuracies; None where there is no test set."""

    checkpoint: Path
    validation: float
    test: float | None


ENDINGS = frozenset({SAFE, ".pth", ".pt"})
"""What the path of a checkpoint may end in."""


def run_training(
    config: RunConfig, settings: TrainingSettings, options: TrainingOptions
) -> TrainingResult:
    """Train on `data.estimation`, choose the best epoch on 5 % held out, test on the rest.

    The checkpoint goes where `attributor.classifier.pretrained` points.

    Raises:
        ConfigError: `pretrained` is not a path, or a setting is impossible.
        DataError: The data cannot be read.
        ResumeError: The work directory holds a training with other settings.
    """
    checkpoint = _checkpoint_path(config)
    log = options.work_dir / "log_file.log"
    with opened(log, options, seed=settings.seed) as run:
        with errors_name(config, "attributor.classifier"):
            model = models.build_classifier({**config.classifier, "pretrained": False})
        data = training_data(config, settings, options, model.to(run.device), run)
        samples = data.read(data.train_set, options.num_samples, settings.seed)
        trained_on, held_out = split(samples, VALIDATION_SHARE, settings.seed)
        trainer = data.trainer(
            model=model,
            data=trained_on,
            settings=settings,
            device=run.device,
            autocast=run.autocast,
            held_out=held_out,
        )
        LOGGER.info(
            "%s on %d %s, %d held out; %s, %s; checkpoint: %s",
            type(model).__name__,
            len(trained_on.targets),
            data.noun,
            len(held_out.targets),
            run.where,
            run.precision,
            checkpoint,
        )
        identity = {
            **asdict(settings),
            "classifier": {k: v for k, v in config.classifier.items() if k != "pretrained"},
            "data": data.train_set.fingerprint(),
            "num_samples": options.num_samples,
        }
        latest = options.work_dir / "training_state.pth"
        what = f"The training in '{options.work_dir}'"
        may_continue(what, made_with(latest), identity, options.resume)
        loop = Loop(trainer, checkpoint, latest, facts=_facts, identity=identity)
        best = loop.run(*loop.resume(run.device))
        test = _test(trainer, data, checkpoint, options)
    return TrainingResult(checkpoint, best, test)


def _facts(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {"accuracy": metrics["accuracy"]}


def _test(
    trainer: ClassifierTrainer, data: TrainingData, checkpoint: Path, options: TrainingOptions
) -> float | None:
    """Return the accuracy of the best epoch on the test set, or None where there is none."""
    if data.test_set is None:
        return None
    models.load_checkpoint(trainer.model, checkpoint)
    samples = data.read(data.test_set, options.num_test_samples, trainer.seed)
    with progress_bar(len(samples.targets), data.noun, "test") as bar:
        accuracy = trainer.accuracy(samples, bar.update)
    LOGGER.info("Accuracy on the test set: %.2f %%", 100 * accuracy)
    return accuracy


def _checkpoint_path(config: RunConfig) -> Path:
    pretrained = config.classifier.get("pretrained")
    if not isinstance(pretrained, str) or Path(pretrained).suffix not in ENDINGS:
        raise ConfigError(
            f"'attributor.classifier.pretrained' of '{config.path}' says where the checkpoint is "
            "written: expected a path that ends in .safetensors, .pth or .pt, got "
            f"{pretrained!r}. Set it with "
            "--cfg-options attributor.classifier.pretrained=workdirs/ckpts/net.pth"
        )
    return Path(pretrained)
