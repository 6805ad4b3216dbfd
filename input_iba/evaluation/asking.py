"""The classifier as metrics call it: what it says of classes, or how well a question is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from input_iba.core.classifier import Classifier
from input_iba.core.explainable import working_values
from input_iba.core.fitting import FittingRows
from input_iba.core.targets import Question, Target, TargetLosses, default_target, probabilities
from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, ScoredSample
from input_iba.modality import Modality
from input_iba.records import Sample

SURE = 1e-7
"""Loss below which a question counts as met for sure, so that its logit is finite."""

MET = 1
"""Class that the single logit of a question speaks for."""


class Asking:
    """Runs a classifier in a precision; see `EvaluationContext.classify`.

    Once a question is asked, by `ask`, there is one logit z with σ(z) = how well it is met, so that
    metrics see two classes, of which `MET` is the one that was explained.

    Args:
        runner: The classifier.
        modality: How it takes its input.
        fitting: Told how large inputs are.
        question: What the config asks; None for the class, or for what the model's output suggests.
        class_names: By class index.
        use_softmax: Whether classes exclude each other.
    """

    def __init__(
        self,
        runner: Classifier,
        modality: Modality,
        fitting: FittingRows,
        question: Target | None,
        class_names: Sequence[str],
        use_softmax: bool,
    ) -> None:
        self._runner, self._modality, self._fitting = runner, modality, fitting
        self._target, self._names, self._use_softmax = question, class_names, use_softmax
        self._question: Question | None = None
        self._of_classes = False

    def __call__(self, inputs: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return float32 logits (B, classes), or (B, 1) of a question."""
        self._fitting.saw(inputs)
        values, tokens = self._modality.read(self._runner.model, inputs)
        if keep is not None:
            values = values.masked_fill(~keep[..., None], 0)
        answer = self._runner.logits(working_values(values, self._runner.model), tokens).float()
        if self._question is None:
            return answer
        loss = self._question.loss(answer).clamp_min(SURE)
        return -loss.expm1().log()[:, None]

    @torch.no_grad()
    def ask(self, inputs: Tensor, label: int | None) -> tuple[Target, float] | None:
        """Settle what is asked on one input (1, …), to which its data set gives a class, or none.

        Returns:
            The target, and how well it is met; None where the class is all that is asked.
        """
        if self._of_classes:
            return None
        self._question = None
        self._runner = self._runner.answering(None)
        values, tokens = self._modality.read(self._runner.model, inputs)
        values = working_values(values, self._runner.model)
        returned = self._runner.returned(values, tokens)
        target = self._target
        if target is None:
            target = default_target(self._runner.part(returned), values)
            if target is None:  # where there are no classes either, the classifier says so
                self._of_classes = True
                return None
        target = target.about(label)
        if not target.reads_classes:
            self._runner = self._runner.answering(target.answer)
        answer = self._runner.read(returned, values, tokens).float()
        [facts] = self._modality.facts(values, tokens, self._names, self._use_softmax)
        self._question = target.settle(answer[0], facts)
        asked = TargetLosses([self._question])
        return target, asked.met(asked(answer[:, None])[:, 0]).item()


@torch.no_grad()
def explained_class(context: EvaluationContext, x: Tensor, given: int | None) -> tuple[int, float]:
    """Return the class that is explained of an input, the predicted one where none is given.

    Returns:
        Its index, and its probability.

    Raises:
        EvaluationError: The logits are not finite, or there is no such class.
    """
    logits = context.classify(x[None])
    if not bool(torch.isfinite(logits).all()):
        raise EvaluationError("The classifier's logits of this sample are NaN or infinite.")
    chances = probabilities(logits, context.use_softmax)[0]
    target = int(chances.argmax()) if given is None else given
    if not 0 <= target < len(chances):
        raise EvaluationError(
            f"Target class {target} does not exist: the classifier has classes 0 to "
            f"{len(chances) - 1}."
        )
    return target, float(chances[target])


def case_of(context: EvaluationContext, sample: Sample) -> ScoredSample:
    """Return a sample with what is asked of it, and a map that holds nothing yet.

    Raises:
        InputIBAError: It cannot be asked.
    """
    x = sample.input.to(context.device)
    asked = context.ask(x[None], sample.target)
    target, chance = (
        explained_class(context, x, sample.target) if asked is None else (MET, asked[1])
    )
    heat = torch.zeros(sample.map_size, dtype=torch.float64)
    question = None if asked is None else asked[0]
    return ScoredSample(replace(sample, input=x), target, chance, heat, question)
