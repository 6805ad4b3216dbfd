"""What a run explains, built from config and options, and checked before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from input_iba.config.build import build_classifier, build_datasets, classifier_digest
from input_iba.config.load import RunConfig
from input_iba.core.hooks import find_layer
from input_iba.core.precision import choose_precision, precision_name
from input_iba.datasets import SampleDataset
from input_iba.datasets.ids import draw_ids, select_ids
from input_iba.drawing import has_display
from input_iba.errors import ConfigError
from input_iba.results import Identity
from input_iba.run.classes import read_logits
from input_iba.run.device import choose_device
from input_iba.run.launch import Processes
from input_iba.run.logs import LOGGER
from input_iba.run.memory import keep_freed_memory
from input_iba.run.options import RunOptions
from input_iba.run.seeds import seed_everything


@dataclass(frozen=True)
class Subject:
    """What is explained, on which device, in which number format.

    Attributes:
        device: Where to compute.
        autocast: Type in which the classifier computes, or None for float32.
        config: What is explained, with what the classifier itself decides.
        classifier: In eval mode.
        estimation_set: Where statistics come from.
        dataset: The data set to explain.
        ids: The samples selected from it.
        identity: What must stay the same for the masks to.
    """

    device: torch.device
    autocast: torch.dtype | None
    config: RunConfig
    classifier: nn.Module
    estimation_set: SampleDataset
    dataset: SampleDataset
    ids: list[str]
    identity: Identity


def set_up(config: RunConfig, options: RunOptions, processes: Processes) -> Subject:
    """Build and check all that a run needs before it writes anything.

    Args:
        config: What to explain, and how.
        options: Device, precision, seed, selection.
        processes: Those of the run; the first of them logs warnings.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what.
    """
    device, warnings = choose_device(options.device, options.gpu_id, processes.local_rank)
    if (config.feature_mask.show or config.input_mask.show) and not has_display():
        warnings.append("'show' has no effect: there is no display here.")
    for warning in (*config.warnings, *warnings) if processes.is_main else ():
        LOGGER.warning("%s", warning)
    autocast = choose_precision(options.precision, device)
    keep_freed_memory()
    seed_everything(options.seed)
    classifier = build_classifier(config)
    if config.baseline is None:
        find_layer(classifier, config.layer)
    else:
        config.baseline.check(classifier)
    estimation_set, dataset = build_datasets(config, classifier)
    reading = read_logits(config, classifier, dataset)
    dataset = reading.dataset
    if processes.is_main:
        reading.say()
    ids = list(dataset.ids)
    if options.subset_file is not None:
        ids = select_ids(ids, options.subset_file)
    if options.num_samples:
        ids = draw_ids(ids, options.num_samples, options.seed)
    identity = Identity(
        config=config.digest(),
        classifier=classifier_digest(classifier),
        data=dataset.fingerprint(),
        estimation_data=estimation_set.fingerprint(),
        samples=hashlib.sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest(),
        seed=options.seed,
        precision=precision_name(autocast),
        out_style=options.out_style,
    )
    return Subject(
        *(device, autocast, reading.config, classifier, estimation_set, dataset, ids, identity)
    )


def check_alike(identities: Sequence[Identity]) -> None:
    """Refuse processes that would make unlike masks, on machines with other files say.

    Raises:
        ConfigError: Says which process differs from the first, and in what.
    """
    for rank, identity in enumerate(identities):
        different = identities[0].differences(identity)
        if different:
            raise ConfigError(
                f"Process {rank} would not make the masks that process 0 makes ('was' is process "
                f"0, 'now' process {rank}):\n  " + "\n  ".join(different) + "\nLet all machines "
                "see the same files, and give what 'auto' decides, e.g. --precision fp32."
            )
