"""Train an explainer for the classifier of a config, on inputs of its estimation set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.config.build import build_classifier, build_own_method, errors_name
from input_iba.config.load import RunConfig
from input_iba.core.explainable import weights_digest
from input_iba.core.files import remove_parts, written_whole
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.datasets.ids import draw_ids
from input_iba.datasets.loading import cut, read_batches, stackable, stacked
from input_iba.errors import DataError
from input_iba.records import Failure, Sample
from input_iba.results import may_continue
from input_iba.run.shell import LOGGER, opened
from input_iba.training.explainer import taught, train, untrained
from input_iba.training.explainer_settings import ExplainerOptions, ExplainerTraining, Objective
from input_iba.training.lessons import AT_ONCE
from input_iba.training.loop import made_with, progress_bar, save

EXPLAINER, STATE = "explainer.safetensors", "training_state.pth"
"""Files of the best epoch, and of the latest."""

CONFIG = "config.py"
"""The config of the training, with which its explainer is exported."""

BEGUN, LESSONS = "begun.pth", "lessons"
"""What must stay the same for the training to be continued; and the folder of what is learned."""


@dataclass(frozen=True)
class ExplainerResult:
    """File of the explainer, what it learned from, and its least divergence in nats."""

    explainer: Path
    lessons: int
    divergence: float


def run_explainer(
    config: RunConfig, settings: ExplainerTraining, objective: Objective, options: ExplainerOptions
) -> ExplainerResult:
    """Explain inputs of `data.estimation` by the config's method, and train on what is found.

    Raises:
        DataError: The inputs cannot be read, or not be explained.
        ResumeError: The work directory holds a training with other settings.
    """
    folder = options.work_dir
    with opened(folder / "log_file.log", options, seed=settings.seed) as run:
        classifier = build_classifier(config).to(run.device)
        with errors_name(config, "data.estimation"):
            dataset = config.kind.readable(classifier, build_dataset(config.estimation_data))
        identity = {
            **asdict(settings),
            **{f"objective.{key}": value for key, value in asdict(objective).items()},
            "attributor": config.raw["attributor"],
            "attribution_cfg": config.raw["attribution_cfg"],
            "data": dataset.fingerprint(),
            "num_samples": options.num_samples,
            "statistics": config.estimation.n_samples,
            "weights": weights_digest(classifier),
        }
        begun = folder / BEGUN
        remove_parts(folder / LESSONS)
        may_continue(f"The training in '{folder}'", made_with(begun), identity, options.resume)
        save(begun, {"identity": identity})
        with written_whole(folder / CONFIG) as aside:
            aside.write_text(config.text(), encoding="utf-8")
        inputs = _read(dataset, config, options.num_samples, settings.seed)
        teacher = build_own_method(config, classifier, run.device, run.autocast)
        teacher.estimate(
            torch.split(inputs, AT_ONCE), min(len(inputs), config.estimation.n_samples)
        )
        how: dict[str, Any] = {"layout": config.layout, "seed": settings.seed}
        explainer, watched = untrained(teacher, inputs, **how)
        LOGGER.info(
            "An explainer for %s reads %s; %s, %s",
            type(classifier).__name__,
            ", ".join(tap.layer for tap in explainer.taps),
            run.where,
            run.precision,
        )
        lessons = taught(teacher, inputs, explainer, settings, folder / LESSONS)
        LOGGER.info("Learns from %d maps of %d inputs", len(lessons.labels), len(inputs))
        files = {"best": folder / EXPLAINER, "latest": folder / STATE, "identity": identity}
        found = train(explainer, watched, teacher, lessons, settings, objective, **files)
    return ExplainerResult(folder / EXPLAINER, len(lessons.labels), found)


def _read(dataset: SampleDataset, config: RunConfig, count: int, seed: int) -> Tensor:
    """Read all inputs of a data set, or some drawn by a seed: (N, …); say which are bad."""
    position = {id_: index for index, id_ in enumerate(dataset.ids)}
    chosen = [position[id_] for id_ in draw_ids(dataset.ids, count or len(dataset), seed)]
    samples = list(_good(dataset, chosen, config.loader.num_workers))
    if not samples:
        raise DataError(
            f"None of {len(chosen)} inputs of data.estimation of '{config.path}' can be read, so "
            "there is nothing to learn from."
        )
    groups = stackable(samples)
    if len(groups) > 1:
        sizes = sorted(tuple(group[0].input.shape) for group in groups)
        raise DataError(
            f"Explainers learn from inputs of one size; data.estimation of '{config.path}' has "
            f"{len(sizes)}, such as {sizes[0]} and {sizes[-1]}. Let its pipeline resize and crop "
            "to one."
        )
    return stacked(samples)


def _good(dataset: SampleDataset, chosen: list[int], workers: int) -> Iterator[Sample]:
    with progress_bar(len(chosen), "inputs", "reading") as bar:
        for items in read_batches(dataset, cut(chosen, AT_ONCE), workers):
            for item in items:
                if isinstance(item, Failure):
                    LOGGER.warning("%s: %s", item.id, item.reason)
                else:
                    yield item
            bar.update(len(items))
