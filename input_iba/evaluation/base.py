"""What a metric is: it declares its settings, scores samples with their maps, and draws the rows.

Nothing here, nor at the top of a metric's module, waits for torch: commands read the settings to
build their options.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from input_iba.errors import EvaluationError, InputIBAError
from input_iba.settings import Settings, declarations

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from input_iba.core.fitting import FittingRows
    from input_iba.drawing import Chart
    from input_iba.modality.units import Units
    from input_iba.records import Explanation, Failure, FeatureStatistics, Sample, Targets

Row = Mapping[str, Any]
"""Scores of one sample as plain data."""


@dataclass(frozen=True)
class ScoredSample:
    """One sample that is to be scored for the class `target`.

    Attributes:
        sample: Its input (C, H, W), or (T,) of a text, is on the classifier's device.
        probability: Probability of the target.
        heat: The map, (H, W), or (W,) of a text of W words, float64, on the CPU; zeros for a
            metric without maps.
        asked: What was explained where that is not the class alone; then `target` is the class that
            the single logit of `EvaluationContext.classify` speaks for.
    """

    sample: Sample
    target: int
    probability: float
    heat: Tensor
    asked: Any = None

    @property
    def question(self) -> Any:
        """Return what a method is to explain of the sample."""
        return self.target if self.asked is None else self.asked


class AnyMethod(Protocol):
    """What a metric needs of any method to explain an input that it has changed."""

    def estimate(self, batches: Iterable[Tensor], n_samples: int) -> object:
        """Keep what the method needs of a number of inputs, if anything."""

    def attribute(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        internal_batch_size: int | None = None,
    ) -> Sequence[Explanation | Failure]:
        """Explain a batch of inputs."""


class Explainer(AnyMethod, Protocol):
    """What a metric needs of an attributor to explain a classifier that it has changed."""

    statistics: FeatureStatistics | None

    def estimate(self, batches: Iterable[Tensor], n_samples: int) -> FeatureStatistics:
        """Return the statistics of the layer over a number of inputs."""


@dataclass(frozen=True)
class EvaluationContext:
    """What all samples of an evaluation share.

    Attributes:
        use_softmax: Whether classes exclude each other; sigmoids otherwise.
        section: What the config says about the sanity check; empty where it says nothing.
        config_path: The config, for messages.
        classifier: In eval mode, on `device`.
        classify: Its forward pass in the precision asked for, with float32 logits. Of texts it
            takes token ids (B, T), and optionally which keep their embedding, (B, T), bool; the
            embeddings of the others become 0.
        ask: Settles on an input (1, …), with the class of its data set, what is asked of it beside
            a class; returns that and how well it is met, or None. Then `classify` answers it.
        autocast: Type in which it computes, or None for float32.
        make_explainer: Builds the three stages of the config.
        make_method: Builds another method by its name, with the config's settings for it; of None
            the three stages.
        estimation_inputs: Returns a number of inputs from all over the estimation set, in batches
            (B, C, H, W), and how many there are.
        ids: All ids of the data set.
        beside: Path of the result without its extension, for what is written beside it.
        fitting: How many inputs the classifier sees at once.
        fingerprints: Hashes of the weights (`classifier`) and of the samples (`data`).
    """

    use_softmax: bool
    section: Mapping[str, Any]
    config_path: Path
    classifier: nn.Module
    classify: Callable[..., Tensor]
    device: torch.device
    autocast: torch.dtype | None
    seed: int
    make_explainer: Callable[[], Explainer]
    make_method: Callable[[str | None], AnyMethod]
    estimation_inputs: Callable[[int], tuple[Iterator[Tensor], int]]
    ids: Sequence[str]
    beside: Path
    fitting: FittingRows
    fingerprints: Mapping[str, str]
    ask: Callable[[Tensor, int | None], tuple[Any, float] | None] = lambda *_: None

    def units(self, sample: Sample, replace: str = "zero") -> Units:
        """Return the pixels of an image, or the words of a text, which can be hidden.

        `replace` says what becomes of hidden words: see `modality.units.replacing`.
        """
        from input_iba.modality.units import units_of

        return units_of(sample, self.classify, replace)

    def internal_batch_size(self, sample: Sample) -> int:
        """Return how many inputs like a sample's the classifier sees at once."""
        return self.fitting.rows(tuple(sample.input.shape))


Score = Callable[[ScoredSample], Row | str]
"""Returns a sample's row, or why the sample is left out."""


@dataclass(frozen=True)
class Metric(Settings, ABC):
    """One metric; the fields of its dataclass are its settings.

    Attributes:
        name: In files and messages.
        description: What its command does, in a sentence.
        higher_is_better: By key of a row that is summarised: the direction in which it is good,
            or None where it is neither.
        needs_map: Whether there is a map to score.
        kind: Kind of input that it is about, as `modality` names it; None for any.
    """

    PLACE: ClassVar[str] = "--"
    ERROR: ClassVar = EvaluationError

    name: ClassVar[str]
    description: ClassVar[str]
    higher_is_better: ClassVar[Mapping[str, bool | None]]
    needs_map: ClassVar[bool] = True
    kind: ClassVar[str | None] = "images"

    @abstractmethod
    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""

    @abstractmethod
    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the curve of at least one row."""

    def verdict(self, rows: Sequence[Row]) -> Mapping[str, Any] | None:
        """Return what at least one row says by the metric's own rule, as plain data, if it has one.

        `passes` says whether it is passed, `rule` what that means.
        """
        return None

    def settings(self) -> dict[str, Any]:
        """Return the settings that decide a row, as plain data."""
        names = [name for name, said in declarations(type(self)).items() if said.changes_result]
        values: dict[str, Any] = json.loads(json.dumps(vars(self), default=str))
        return {name: values[name] for name in names}

    def values(self, row: Row) -> dict[str, float]:
        """Return what of a row is summarised over samples."""
        return {key: row[key] for key in self.higher_is_better}


NOT_WRITTEN = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, InputIBAError)
"""What is raised about rows of files that no metric wrote."""


def written_by(metric: Metric, rows: Sequence[Row]) -> bool:
    """Return whether rows of a file are such as a metric writes."""
    try:
        values = [value for row in rows for value in metric.values(row).values()]
        if rows:
            metric.chart(rows)
    except NOT_WRITTEN:
        return False
    return all(type(value) in (int, float) and math.isfinite(value) for value in values)
