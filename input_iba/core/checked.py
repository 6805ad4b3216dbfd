"""The first passes through a classifier: whether it can be explained as it is, and what is odd.

They cost a few rows, less than one batch of the layer's statistics.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier
from input_iba.core.modes import same, with_gradients
from input_iba.core.tap import TappedClassifier
from input_iba.core.targets import Target, default_target
from input_iba.core.tokens import Behind
from input_iba.errors import AttributionError, InputIBAError

LOGGER = logging.getLogger(__name__)

Entered = tuple[Tensor, Behind]
"""Inputs as a classifier is given them, and what stands behind them."""

VIEWS = ("View", "Reshape", "Squeeze", "Unsqueeze", "Alias", "ToCopy", "Clone", "Select", "Slice")
"""Beginnings of the names of autograd's steps that leave values as they are."""

COLOURS = (1, 3)
"""Channels that images usually have."""


@dataclass(frozen=True)
class Checked:
    """What the first passes found.

    Attributes:
        warnings: What is odd, each with its remedy.
        alone: Whether inputs must be explained one by one, because padding changes their logits.
        has_logits: Whether the model returns logits (B, classes).
        suggests: What its output suggests to ask where nothing is asked; None for the predicted
            class.
        classes: Number of logits; None where there are none.
    """

    warnings: tuple[str, ...] = ()
    alone: bool = False
    has_logits: bool = True
    suggests: Target | None = None
    classes: int | None = None

    def say(self, names: int = 0) -> None:
        """Log what is odd, of a number of names of classes, too."""
        for warning in self.warnings:
            LOGGER.warning("%s", warning)
        if names and self.classes not in (None, names) and (names, self.classes) != (2, 1):
            LOGGER.warning(
                "There are %d names for %d classes, so that some may stand at the wrong class. "
                "Give class_names= with one for each, in the order of the logits.",
                *(names, self.classes),
            )

    def compare(self, model: nn.Module, logits: Tensor) -> None:
        """Refuse logits (B, classes) of other inputs that are more or fewer than the first one's.

        Raises:
            AttributionError: They are.
        """
        if self.classes not in (None, logits.shape[1]):
            raise AttributionError(
                f"{type(model).__name__} returned {logits.shape[1]} logits for this input, and "
                f"{self.classes} for the first one: expected one per class, whatever the input. "
                "Leave the input out, or mend what the model returns for it."
            )


@torch.no_grad()
def check_classifier(
    classifier: Classifier, example: Entered, padded: tuple[Entered, Entered] | None = None
) -> Checked:
    """Run a classifier on one input, and refuse or remark what a map would be wrong with.

    What is not logits is only looked at as numbers, until a target says what they mean.

    Args:
        classifier: Frozen; computes without autocast.
        example: One input, (1, …).
        padded: One input without and with padding behind it, for kinds of input that have any.

    Raises:
        AttributionError: The classifier does not take one such input, puts out something else than
            logits, or does not call the tapped layer exactly once.
    """
    name, warnings = type(classifier.model).__name__, []
    alike = partial(same, dtype=classifier.dtype)
    returned = _first_returned(classifier, name, *example)
    suggests = default_target(classifier.part(returned), example[0])
    plain = classifier
    classifier = classifier.readable(returned, *example)
    has_logits = suggests is None and classifier is plain
    logits = classifier.read(returned, *example)
    if isinstance(classifier, TappedClassifier):
        classifier.check_calls(classifier.calls(*example))
    values, tokens = example
    again = classifier.logits(values, tokens)
    finite = bool(logits.isfinite().all())  # what is not becomes a failure of the sample
    if finite and not alike(logits, again):
        warnings.append(
            f"{name} answers at random: two passes of one input gave logits that differ by "
            f"{(logits - again).abs().max().item():.3g}, and no two masks will be the same. Let "
            "dropout heed eval mode: F.dropout(x, p, training=self.training), or nn.Dropout."
        )
    elif finite:
        two = torch.cat([values, values * 0.5])
        if not alike(again, classifier.logits(two, tokens.repeat(2))[:1]):
            warnings.append(
                f"{name} lets the inputs of a batch change each other's logits, as batch norms "
                "without running statistics do: a map depends on what is explained beside it. "
                "Give these layers running statistics."
            )
    warnings += _probabilities(name, logits)
    alone = padded is not None and finite and not alike(*(classifier.logits(*p) for p in padded))
    if alone:
        warnings.append(
            f"{name} answers otherwise when a text is padded, so texts of a batch would change "
            "each other's maps: they are explained one by one. Let it heed its attention_mask or "
            "lengths."
        )
    classes = logits.shape[1] if has_logits else None
    return Checked(tuple(warnings), alone, has_logits, suggests, classes)


@with_gradients()
def _first_returned(classifier: Classifier, name: str, values: Tensor, tokens: Behind) -> Any:
    """Return what the model returns for one input, in the graph of that input."""
    values = values.detach().requires_grad_()
    try:
        return classifier.returned(values, tokens)
    except (InputIBAError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # whatever a network says to an input that it does not take
        signature = inspect.signature(classifier.model.forward)
        given = tokens.arguments & signature.parameters.keys()
        try:
            signature.bind(None, *tokens.beside.values, **dict.fromkeys(given))
        except TypeError:
            raise AttributionError(
                f"{name} cannot be called with one tensor: its forward method takes {signature}. "
                "Give the others as additional_forward_args=, or explain a module with one input, "
                "that calls it with the rest: "
                "class OneInput(nn.Module), whose forward(self, x) returns model(x, ...)."
            ) from error
        raise AttributionError(
            f"{name} cannot be run on an input of shape {tokens.shape(values)}: "
            f"{type(error).__name__}: {error}. Give inputs of the shape that it was trained on"
            f"{_channels_first(values)}."
        ) from error


def _channels_first(values: Tensor) -> str:
    """Return what else to do where the channels of images seem to stand last."""
    if values.ndim != 4 or values.shape[-1] not in COLOURS or values.shape[1] in COLOURS:
        return ""
    return "; channels come before height and width: x.permute(0, 3, 1, 2)"


def _probabilities(name: str, logits: Tensor) -> list[str]:
    """Remark that a classifier ends in a softmax or sigmoid, which the graph behind it shows."""
    step = logits.grad_fn
    while step is not None and step.name().startswith(VIEWS):
        step = step.next_functions[0][0]
    for activation, inverse in (("Softmax", "torch.log"), ("Sigmoid", "torch.logit")):
        if step is not None and step.name().startswith(f"{activation}Backward"):
            return [
                f"{name} ends in a {activation.lower()}: it puts out probabilities, of which "
                f"another {activation.lower()} is taken. Explain it without its last step, or "
                f"with output={inverse}, which undoes it."
            ]
    return []
