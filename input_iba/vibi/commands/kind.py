"""What differs between kinds of input: all else in VIBI's commands is one path for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from input_iba.datasets import SampleDataset
from input_iba.run.shell import Run
from input_iba.training.classifier import Labelled
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.commands.config import VibiConfig
from input_iba.vibi.fidelity import TopK
from input_iba.vibi.inputs import ExplainedInputs
from input_iba.vibi.model import Vibi

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Samples:
    """What is read for a run, with the fingerprint of the training set."""

    train: Labelled
    validation: Labelled
    test: Labelled
    class_names: Sequence[str]
    fingerprint: str


@dataclass(frozen=True)
class Networks:
    """Explainer and approximator, and what they explain.

    Attributes:
        weights: File with the black box's weights; empty where the config's `pretrained` says.
        input_shape: Shape of one input.
    """

    vibi: Vibi
    black_box: BlackBox
    weights: str
    input_shape: Sequence[int]


class Kind(ABC, Generic[Opened]):
    """One kind of input, for the config and the device of a run."""

    def __init__(self, config: VibiConfig, run: Run) -> None:
        self.config = config
        self.run = run

    @abstractmethod
    def dataset(self, split: str) -> SampleDataset:
        """Return the data set of 'train' or 'test', unread."""

    @abstractmethod
    def read(self, dataset: Any, count: int) -> Labelled:
        """Read as many samples into memory, drawn at random; 0 for all."""

    @abstractmethod
    def networks(self, samples: Samples) -> Networks:
        """Build explainer and approximator for data, and provide the black box.

        Raises:
            ConfigError: Something in the config does not fit.
            CheckpointError: The black box's weights are not there, or do not fit.
        """

    @abstractmethod
    def load(self, shape: Sequence[int], classes: int, weights: str) -> Networks:
        """Build the networks of a checkpoint, explainer and approximator without their weights."""

    @abstractmethod
    def explained(self, networks: Networks, samples: Labelled) -> ExplainedInputs:
        """Ask the black box about all samples once, so that training need not."""

    @abstractmethod
    def draw(
        self, networks: Networks, inputs: Tensor, class_names: Sequence[str], folder: Path
    ) -> None:
        """Draw explanations of some of `ExplainedInputs.inputs` into a folder."""

    @abstractmethod
    def open(self, path: Path) -> Opened:
        """Read a file that is to be explained; raises DataError if it cannot be used."""

    @abstractmethod
    def inputs(self, networks: Networks, opened: Opened) -> Tensor:
        """Return what `open` returned as explainer and black box take it, (1, …)."""

    @abstractmethod
    def heat(self, networks: Networks, inputs: Tensor, logits: Tensor) -> Tensor:
        """Return the probability of the chunk of each pixel or word, of logits (B, N)."""

    @abstractmethod
    def write(
        self,
        networks: Networks,
        opened: Opened,
        found: TopK,
        whole: Tensor,
        class_names: Sequence[str],
        place: Path,
    ) -> tuple[Path, ...]:
        """Write an explanation as arrays, and as what shows them; `place` has no extension.

        `whole` is what the black box gives the whole input, probabilities (classes,).
        """
