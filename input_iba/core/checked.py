"""The first passes through a classifier: whether it can be explained as it is, and what is odd.

They cost a few rows, less than one batch of the layer's statistics.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier
from input_iba.core.modes import same, with_gradients
from input_iba.core.tap import TappedClassifier
from input_iba.core.tokens import Behind
from input_iba.errors import AttributionError, InputIBAError

LOGGER = logging.getLogger(__name__)

Entered = tuple[Tensor, Behind]
"""Inputs as a classifier is given them, and what stands behind them."""

VIEWS = ("View", "Reshape", "Squeeze", "Unsqueeze", "Alias", "ToCopy", "Clone", "Select", "Slice")
"""Beginnings of the names of autograd's steps that leave values as they are."""


@dataclass(frozen=True)
class Checked:
    """What the first passes found.

    Attributes:
        warnings: What is odd, each with its remedy.
        alone: Whether inputs must be explained one by one, because padding changes their logits.
    """

    warnings: tuple[str, ...] = ()
    alone: bool = False

    def say(self) -> None:
        """Log what is odd."""
        for warning in self.warnings:
            LOGGER.warning("%s", warning)


def check_classifier(
    classifier: Classifier, example: Entered, padded: tuple[Entered, Entered] | None = None
) -> Checked:
    """Run a classifier on one input, and refuse or remark what a map would be wrong with.

    Args:
        classifier: Frozen; computes without autocast.
        example: One input, (1, …).
        padded: One input without and with padding behind it, for kinds of input that have any.

    Raises:
        AttributionError: The classifier does not take one such input, puts out something else than
            logits, or does not call the tapped layer exactly once.
    """
    warnings = []
    logits = _first_logits(classifier, example)
    if isinstance(classifier, TappedClassifier):
        classifier.check_calls(classifier.calls(*example))
    with torch.no_grad():
        again = classifier.logits(*example)
    finite = bool(logits.isfinite().all())  # what is not becomes a failure of the sample
    if finite and not same(logits.detach(), again, classifier.dtype):
        warnings.append(_random(classifier.model, logits.detach(), again))
    elif finite and _mixes(classifier, again, example):
        warnings.append(
            f"{_name(classifier.model)} lets the inputs of a batch change each other's logits, as "
            "batch norms without running statistics do: a map depends on what is explained beside "
            "it. Give these layers running statistics."
        )
    warnings += _probabilities(classifier.model, logits)
    alone = padded is not None and finite and _leaks(classifier, *padded)
    if alone:
        warnings.append(
            f"{_name(classifier.model)} answers otherwise when a text is padded, so texts of a "
            "batch would change each other's maps: they are explained one by one. Let it heed "
            "its attention_mask or lengths."
        )
    return Checked(tuple(warnings), alone)


@with_gradients()
def _first_logits(classifier: Classifier, example: Entered) -> Tensor:
    """Return the logits of one input in the graph of that input."""
    values, tokens = example
    values = values.detach().requires_grad_()
    try:
        return classifier.logits(values, tokens)
    except (InputIBAError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever a network says to an input that it does not take
        if missing := _other_inputs(classifier.model, tokens.arguments):
            raise AttributionError(
                f"{_name(classifier.model)} cannot be called with one tensor: its forward method "
                f"takes {missing}. Explain a module with one input, that calls it with the rest: "
                "class OneInput(nn.Module), whose forward(self, x) returns model(x, ...)."
            ) from error
        raise AttributionError(
            f"{_name(classifier.model)} cannot be run on an input of shape "
            f"{tokens.shape(values)}: {type(error).__name__}: {error}. Give inputs of the shape "
            "that it was trained on."
        ) from error


def _other_inputs(model: nn.Module, known: Collection[str]) -> str:
    """Return the signature of a forward method that one tensor is not enough for; else nothing."""
    signature = inspect.signature(model.forward)
    given = dict.fromkeys(name for name in known if name in signature.parameters)
    try:
        signature.bind(None, **given)
    except TypeError:
        return str(signature)
    return ""


def _random(model: nn.Module, one: Tensor, other: Tensor) -> str:
    difference = (one - other).abs().max().item()
    return (
        f"{_name(model)} answers at random: two passes of one input gave logits that differ by "
        f"{difference:.3g}, and no two masks will be the same. Let dropout heed eval mode: "
        "F.dropout(x, p, training=self.training), or nn.Dropout."
    )


def _probabilities(model: nn.Module, logits: Tensor) -> list[str]:
    """Remark that a classifier ends in a softmax or sigmoid, which the graph behind it shows."""
    step = logits.grad_fn
    while step is not None and step.name().startswith(VIEWS):
        step = step.next_functions[0][0]
    name = "" if step is None else step.name()
    inverse = {"SoftmaxBackward": "torch.log", "SigmoidBackward": "torch.logit"}
    for beginning, remedy in inverse.items():
        if name.startswith(beginning):
            activation = beginning.removesuffix("Backward").lower()
            return [
                f"{_name(model)} ends in a {activation}: it puts out probabilities, of which "
                f"another {activation} is taken. Explain it without its last step, or with "
                f"output={remedy}, which undoes it."
            ]
    return []


def _mixes(classifier: Classifier, alone: Tensor, example: Entered) -> bool:
    values, tokens = example
    two = torch.cat([values, values * 0.5])
    with torch.no_grad():
        together = classifier.logits(two, tokens.repeat(2))[:1]
    return not same(alone, together, classifier.dtype)


def _leaks(classifier: Classifier, alone: Entered, padded: Entered) -> bool:
    with torch.no_grad():
        one, other = (classifier.logits(*entered) for entered in (alone, padded))
    return not same(one, other, classifier.dtype)


def _name(model: nn.Module) -> str:
    return type(model).__name__
