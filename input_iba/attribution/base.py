"""What all attributors share: the borrowed classifier, the check of it, and the call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from input_iba.attribution.asked import asked, checked_ids
from input_iba.attribution.task import Task
from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.checked import Checked, Entered, check_classifier
from input_iba.core.classifier import Classifier
from input_iba.core.explainable import check_explainable, device_of, working_values
from input_iba.core.fitting import rows_at_once
from input_iba.core.modes import with_gradients
from input_iba.core.optimise import Progress
from input_iba.core.outputs import class_names_of, everything
from input_iba.core.targets import Target, family_of, target_losses, target_of
from input_iba.core.tokens import Behind
from input_iba.modality import Modality, VisionModality
from input_iba.records import Explanation, Failure, FeatureStatistics, Targets

Found = TypeVar("Found", bound=Explanation)
Kind = TypeVar("Kind", bound=Task)


class BaseAttributor(ABC, Generic[Kind, Found]):
    """Explain what a classifier looked at, by whatever method.

    The classifier is borrowed: moved to `device`, if any, and otherwise given back by every call
    as it was. It is checked on the first input: what is wrong is refused, what is odd logged.

    Args:
        model: Maps (B, C, H, W), or token ids (B, T), to logits; one tells two classes apart.
        use_softmax: Whether the classes exclude each other.
        statistics: Of the layer, when they are known already.
        modality: What kind of input the classifier takes; images by default.
        device: Where to compute; None for where the classifier is.
        internal_batch_size: Most rows that the classifier sees at once; it changes no mask.
        class_names: By class index; None for those of the classifier's own `config.id2label`.

    Raises:
        AttributionError: The classifier is scripted, quantised, or not whole.
    """

    _runner: Classifier

    def __init__(
        self,
        model: nn.Module,
        *,
        use_softmax: bool,
        statistics: FeatureStatistics | None,
        modality: Modality | None,
        device: torch.device | str | None,
        internal_batch_size: int | None,
        class_names: Sequence[str] | None,
    ) -> None:
        check_explainable(model)
        self.device = device_of(model) if device is None else torch.device(device)
        model.to(self.device)
        self.use_softmax = use_softmax
        self.statistics = statistics
        self.modality = modality or VisionModality()
        self.internal_batch_size = internal_batch_size
        self.class_names = class_names_of(model) if class_names is None else class_names
        self._checked: Checked | None = None

    @property
    def model(self) -> nn.Module:
        """The network, without what parallelises or compiles it."""
        return self._runner.model

    @with_gradients()
    def attribute(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        internal_batch_size: int | None = None,
        additional_forward_args: Any = None,
    ) -> list[Found | Failure]:
        """Explain S samples.

        Args:
            inputs: Normalised inputs, (S, C, H, W), or token ids (S, T).
            targets: What to explain; None for the predicted classes. See `target_losses`.
            ids: Of the samples, which with the seed decide the random numbers; by default their
                positions.
            seed: Of the run.
            progress: Told about every step of every stage.
            internal_batch_size: Instead of the attributor's own, for this call.
            additional_forward_args: What the model is called with behind the inputs, one or a
                tuple; see `Arguments`.

        Returns:
            One record per sample, in order; a `Failure` where a sample could not be explained.

        Raises:
            AttributionError: The method lacks what it needs, or does not fit the classifier, or the
                number of logits has changed.
            ConfigError: Targets, ids or statistics do not fit the inputs.
        """
        self._check_ready()
        if len(inputs) == 0:
            return []
        names = checked_ids(ids, len(inputs))
        how: dict[str, Any] = {
            "seed": seed,
            "progress": progress,
            "internal_batch_size": internal_batch_size,
        }
        beside = Arguments.of(additional_forward_args, self.device)
        checked = self._check(inputs, beside)
        targets = asked(targets, checked.suggests)
        if checked.alone and len(inputs) > 1:
            found: list[Found | Failure] = []
            for i, single in enumerate(self.modality.one_by_one(inputs)):
                one = target_of(targets, i)
                found += self.attribute(single, one, ids=names[i : i + 1], **how)
            return found
        first = self._enter(inputs[:1], beside.select(slice(1)))
        with self._asking(targets).prepared(*first):
            how["additional_forward_args"] = beside.values
            return self._explain(self.task(inputs, targets, names, **how))

    @with_gradients()
    def task(
        self,
        inputs: Tensor,
        targets: Targets | None = None,
        ids: Sequence[str] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        internal_batch_size: int | None = None,
        additional_forward_args: Any = None,
    ) -> Kind:
        """Prepare samples for running the stages one by one: the arguments of `attribute`."""
        names = checked_ids(ids, len(inputs))
        beside = Arguments.of(additional_forward_args, self.device)
        checked = self._check(inputs, beside)
        targets = asked(targets, checked.suggests)
        values, tokens = self._enter(inputs, beside)
        runner = self._asking(targets)
        with torch.no_grad(), runner.frozen():
            logits, seen = self._look(runner, values, tokens)
        if runner.answer is None:
            checked.compare(runner.model, logits)
        facts = self.modality.facts(values, tokens, self.class_names, self.use_softmax)
        return self._task(
            classifier=runner,
            modality=self.modality,
            inputs=values,
            tokens=tokens,
            logits=logits,
            losses=target_losses(targets, logits, facts),
            ids=names,
            seed=seed,
            internal_batch_size=internal_batch_size
            or self.internal_batch_size
            or rows_at_once(inputs.shape[1:], self.device),
            progress=progress,
            use_softmax=self.use_softmax,
            **seen,
        )

    def _look(
        self, runner: Classifier, values: Tensor, tokens: Behind
    ) -> tuple[Tensor, dict[str, Any]]:
        """Return what is asked about of inputs (S, …), and what else of the pass a task keeps."""
        return runner.logits(values, tokens), {}

    @torch.no_grad()
    def answers(self, inputs: Tensor, target: Target, beside: Any = None) -> Tensor:
        """Return what a target reads of the model's answers to inputs (S, …), (S, …)."""
        runner = self._asking(target)
        with runner.frozen():
            return runner.logits(*self._enter(inputs, Arguments.of(beside, self.device)))

    def _check_ready(self) -> None:
        """Refuse to explain anything before what the method needs is known."""

    @abstractmethod
    def _task(self, **common: Any) -> Kind:
        """Return a task with what all tasks have, and what the method needs beside that."""

    @abstractmethod
    def _explain(self, task: Kind) -> list[Found | Failure]:
        """Explain the samples of a task; one that fails never disturbs the others."""

    @property
    def _readable(self) -> Classifier:
        """Return the classifier, of which numbers can be read before anything is asked."""
        logits = self._checked is None or self._checked.has_logits
        return self._runner.answering(None if logits else everything)

    def _asking(self, targets: Targets | None) -> Classifier:
        """Return the classifier, of which is read what targets are about."""
        family = family_of(targets)
        return self._runner.answering(None if family is None else family.answer)

    def _enter(self, inputs: Tensor, beside: Arguments = NO_ARGUMENTS) -> Entered:
        """Return a user's inputs as a classifier is given them, in the type that masks have."""
        beside.check(len(inputs))
        inputs = inputs.to(self.device, non_blocking=inputs.is_pinned())
        inputs = inputs.clone() if inputs.is_inference() else inputs
        values, tokens = self.modality.enter(self._runner.model, inputs)
        return working_values(values, self._runner.model), tokens.given(beside)

    def _check(self, inputs: Tensor, beside: Arguments = NO_ARGUMENTS) -> Checked:
        """Check the classifier on the first of some inputs, once, and log what is odd."""
        if self._checked is None:
            example, first = inputs[:1], beside.select(slice(1))
            alike = self.modality.padded(self._runner.model, example)
            exact = self._runner.exact()
            with exact.frozen():
                one, *pair = (self._enter(like, first) for like in (example, *(alike or ())))
                self._checked = check_classifier(exact, one, (pair[0], pair[1]) if pair else None)
            self._checked.say(len(self.class_names))
        return self._checked
