"""What a run trains and on what, ready in memory; and the networks of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from input_iba.core.tensor_files import read_tensor_file
from input_iba.errors import CheckpointError, ConfigError
from input_iba.models.checkpoints import fit_state_dict
from input_iba.run.shell import LOGGER, Run
from input_iba.training.classifier import split
from input_iba.training.data import VALIDATION_SHARE, check_classes
from input_iba.vibi.commands.config import VibiConfig, vibi_config
from input_iba.vibi.commands.images import Images
from input_iba.vibi.commands.texts import Texts
from input_iba.vibi.inputs import ExplainedInputs, Samples
from input_iba.vibi.model import Networks, Vibi

FORMAT = 1
"""Of checkpoints."""

Kind = Images | Texts
"""What differs between kinds of input."""


def kind_of(config: VibiConfig, run: Run) -> Kind:
    """Return the kind of input that a setting explains."""
    return Texts(config, run) if config.of_texts else Images(config, run)


@dataclass(frozen=True)
class Prepared:
    """Everything that a training needs; `accuracy` is the black box's, on the test set."""

    kind: Kind
    networks: Networks
    train: ExplainedInputs
    validation: ExplainedInputs
    test: ExplainedInputs
    class_names: Sequence[str]
    accuracy: float


def read_samples(kind: Kind) -> Samples:
    """Read training set and test set, and hold a share of the former out."""
    data, seed = kind.config.data, kind.run.seed
    train_set, test_set = kind.dataset("train"), kind.dataset("test")
    check_classes(train_set, test_set)
    train, validation = split(kind.read(train_set, data.num_train), VALIDATION_SHARE, seed)
    test = kind.read(test_set, data.num_test)
    names = list(train_set.class_names or [])
    return Samples(train, validation, test, names, train_set.fingerprint())


def prepare(config: VibiConfig, run: Run) -> Prepared:
    """Read the data, provide the black box, build explainer and approximator.

    Raises:
        ConfigError: Something in the config does not fit.
        DataError: The data are not there.
        CheckpointError: The black box's weights are not there, or do not fit.
    """
    kind = kind_of(config, run)
    samples = read_samples(kind)
    torch.manual_seed(run.seed)
    networks = kind.networks(samples)
    parts = (samples.train, samples.validation, samples.test)
    train, validation, test = (kind.explained(networks, part) for part in parts)
    classes, outputs = len(samples.class_names), test.log_probabilities.shape[1]
    if outputs < classes:
        raise ConfigError(
            f"The data have {classes} classes, the black box {outputs} outputs. Set "
            f"black_box.classifier.num_classes={classes}."
        )
    right = test.log_probabilities.argmax(1) == samples.test.targets
    accuracy = int(right.sum()) / len(test)
    name = networks.weights or type(networks.black_box.classifier).__name__
    LOGGER.info("Black box %s: accuracy %.2f %% on the test set", name, 100 * accuracy)
    return Prepared(kind, networks, train, validation, test, samples.class_names, accuracy)


@dataclass(frozen=True)
class LoadedVibi:
    """What a checkpoint holds; its networks are in eval mode.

    Attributes:
        fidelities: The approximator's, and of the rationale, on what its training held out.
    """

    kind: Kind
    networks: Networks
    class_names: Sequence[str]
    fidelities: tuple[float, float]

    @property
    def vibi(self) -> Vibi:
        """Explainer and approximator."""
        return self.networks.vibi

    @property
    def config(self) -> VibiConfig:
        """Config of the run that trained them."""
        return self.kind.config


def read_checkpoint(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read `best.pth` or `last.pth` of a run; nothing in the file is executed.

    Raises:
        CheckpointError: The file is absent, or no checkpoint of this kind.
    """
    try:
        content: dict[str, Any] = read_tensor_file(path, torch.device(device))
        found = content["format"]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CheckpointError(
            f"'{path}' cannot be read as a checkpoint of VIBI ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'empty'}). Expected best.pth or "
            "last.pth of a folder that `input-iba vibi train` wrote."
        ) from error
    if found != FORMAT:
        raise CheckpointError(
            f"'{path}' has format {found!r}, expected {FORMAT}. Train again with this release."
        )
    return content


def load_vibi(path: Path, run: Run | None = None, black_box: Path | None = None) -> LoadedVibi:
    """Build the networks of a checkpoint and load their weights.

    Args:
        path: `best.pth` or `last.pth` of a run.
        run: What to compute on; None for the CPU in float32.
        black_box: File with the black box's weights; None for the one that training named.

    Raises:
        CheckpointError: A file cannot be used.
        DataError: The reviews that the vocabulary was built from are not there.
    """
    run = run or Run(torch.device("cpu"), None)
    content = read_checkpoint(path, run.device)
    try:
        return _loaded(content, run, path, black_box)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"'{path}' holds a checkpoint of VIBI that cannot be used ({type(error).__name__}: "
            f"{error}). Train again, or take another file."
        ) from error


def _loaded(content: Mapping[str, Any], run: Run, path: Path, black_box: Path | None) -> LoadedVibi:
    kind = kind_of(vibi_config(content["config"], str(content["name"]), path), run)
    weights = str(black_box or content["black_box"])
    names = [str(name) for name in content["class_names"]]
    networks = kind.load(content["input_shape"], len(names), weights)
    fit_state_dict(networks.vibi, content["vibi"], path)
    networks.vibi.eval()
    measured = content["metrics"]
    fidelities = (float(measured["approximator_fidelity"]), float(measured["rationale_fidelity"]))
    return LoadedVibi(kind, networks, names, fidelities)
