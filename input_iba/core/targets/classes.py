"""Questions about the classes of an input: one, several, or one rather than another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from input_iba.core.targets.base import (
    Facts,
    LogitsTarget,
    Question,
    chosen_class,
    class_index,
    class_name,
)
from input_iba.core.targets.probabilities import class_logits, log_probabilities
from input_iba.errors import ConfigError
from input_iba.registry import TARGETS
from input_iba.settings import setting


@TARGETS.register_module()
@dataclass(frozen=True)
class ClassTarget(LogitsTarget):
    """Why this class? Its loss is the cross-entropy, so it is met by the class's probability.

    >>> question = ClassTarget("cat").settle(torch.zeros(2), Facts(class_names=["dog", "cat"]))
    >>> question.name, question.loss(torch.tensor([[0.0, 2.0]])).exp()
    ('cat', tensor([1.1353]))
    """

    type: ClassVar = "ClassTarget"
    asks: ClassVar = "label"

    label: int | str | None = setting(
        None, "class by index or name; None for the data set's, or else the predicted one"
    )

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a class, by logits (classes,)."""
        return one_class(chosen_class(self.label, answer, facts), facts)


@TARGETS.register_module()
@dataclass(frozen=True)
class ContrastTarget(LogitsTarget):
    """Why class a and not class b? What speaks for both drops out.

    It is met by the share of a in the probabilities of a and b, p_a / (p_a + p_b) = σ(z_a − z_b)
    of their logits z.
    """

    type: ClassVar = "ContrastTarget"
    asks: ClassVar = "a"

    a: int | str | None = setting(
        None, "class by index or name; None for the data set's, or else the predicted one"
    )
    b: int | str | None = setting(
        None, "class that it is set against; None for the most probable of the others"
    )

    def about(self, label: int | str | None) -> ContrastTarget:
        """Return the question with a class as a, if it names none, unless that is b."""
        return super().about(label) if label != self.b else self

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on two classes, by logits (classes,)."""
        logits = class_logits(answer)
        b = None if self.b is None else class_index(self.b, len(answer), facts.class_names)
        if self.a is None and b is not None:
            a = int(_without(logits, b).argmax())
        else:
            a = chosen_class(self.a, answer, facts)
        b = int(_without(logits, a).argmax()) if b is None else b
        if a == b:
            raise ConfigError(
                f"A contrast needs two classes; got {class_name(a, facts.class_names)!r} twice."
            )

        def loss(logits: Tensor) -> Tensor:
            scores = class_logits(logits)
            return -F.logsigmoid(scores[:, a] - scores[:, b])

        names = [class_name(index, facts.class_names) for index in (a, b)]
        return Question(loss, f"{names[0]} rather than {names[1]}")


@TARGETS.register_module()
@dataclass(frozen=True)
class MultiLabelTarget(LogitsTarget):
    """Why exactly these classes? Its loss is the mean binary cross-entropy over all classes."""

    type: ClassVar = "MultiLabelTarget"

    labels: tuple[int | str, ...] | None = setting(
        None, "classes that are there, by index or name; None for those above one half"
    )

    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Settle on a set of classes, by logits (classes,)."""
        if self.labels is None:
            row = (answer > 0).to(answer.dtype)
        else:
            row = torch.zeros_like(answer)
            for label in self.labels:
                row[class_index(label, len(answer), facts.class_names)] = 1
        there = [class_name(i, facts.class_names) for i in row.nonzero()[:, 0].tolist()]
        return Question(multi_label(row), " and ".join(there) or "none of the classes")


def one_class(label: int, facts: Facts) -> Question:
    """Return the question about one class, by its index."""

    def loss(logits: Tensor) -> Tensor:
        return -log_probabilities(logits, facts.use_softmax)[:, label]

    return Question(loss, class_name(label, facts.class_names), label)


def multi_label(row: Tensor) -> Any:
    """Return the loss of logits (K, classes) for the classes that a row (classes,) marks by 1."""
    return lambda logits: F.binary_cross_entropy_with_logits(
        logits, row.expand_as(logits), reduction="none"
    ).mean(-1)


def _without(logits: Tensor, index: int) -> Tensor:
    return logits.index_fill(-1, torch.tensor([index], device=logits.device), -torch.inf)
