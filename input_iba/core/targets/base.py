"""What a target is: a question that is asked of whatever a model returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from torch import Tensor

from input_iba.core.outputs import parts_of, select_logits
from input_iba.core.targets.probabilities import predictions
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError, ConfigError, closest
from input_iba.records import TargetLoss
from input_iba.settings import Settings

Spelling = Callable[[Sequence[int]], str]
"""Returns the text of some tokens."""


def numbers(ids: Sequence[int]) -> str:
    """Return ids whose text is not known, one after the other."""
    return " ".join(map(str, ids))


@dataclass(frozen=True)
class Facts:
    """What is known of one input when a target is settled on it.

    Attributes:
        class_names: By class index.
        use_softmax: Whether classes exclude each other.
        size: Height and width of an image, or whatever its spatial dimensions are; else empty.
        length: Tokens of a text, special ones included; 0 of other inputs.
        answer: Ids of the tokens at its end that are an answer.
        spelled: Returns the text of some tokens.
    """

    class_names: Sequence[str] = ()
    use_softmax: bool = True
    size: tuple[int, ...] = ()
    length: int = 0
    answer: tuple[int, ...] = ()
    spelled: Spelling = numbers


@dataclass(frozen=True)
class Question:
    """A target, settled on what the model answers to one unchanged input.

    Attributes:
        loss: Maps answers (K, …) to (K,): minus the logarithm of how well the target is met.
        name: What is asked, in words.
        label: The class index, where the target is one class and nothing else.
        measured: Whether exp(−loss) lies in [0, 1] and says how well the target is met; of a loss
            of the caller's own that is not known.
    """

    loss: TargetLoss
    name: str = ""
    label: int | None = None
    measured: bool = True


Own = TypeVar("Own", bound="Target")


@dataclass(frozen=True)
class Target(Settings, ABC):
    """A question about an input; one instance may be asked of any number of inputs.

    `answer` reads a tensor with one row per input in what the model returned, of the unchanged
    input and of noisy ones alike. `settle` looks at the answer to the unchanged input and says what
    is asked: which class was predicted, which region, which detection.

    Attributes:
        type: Name in configs.
        reads_classes: Whether the answer is logits (B, classes).
        asks: Setting that names the class which is asked about; empty where there is none.
    """

    PLACE = "target."

    type: ClassVar[str]
    reads_classes: ClassVar[bool] = False
    asks: ClassVar[str] = ""

    def about(self: Own, label: int | str | None) -> Own:
        """Return the question about a class, as a data set labels an input, if it names none."""
        open_ = self.asks and getattr(self, self.asks) is None
        return replace(self, **{self.asks: label}) if open_ else self

    @abstractmethod
    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return (B, …) of what the model returned for inputs (B, …).

        Raises:
            AttributionError: The model returns something else; says what, and what it takes.
        """

    @abstractmethod
    def settle(self, answer: Tensor, facts: Facts) -> Question:
        """Return what is asked of one input, from the answer (…) to it unchanged.

        Raises:
            ConfigError: The target does not fit the answer, such as a class that does not exist.
        """


@dataclass(frozen=True)
class LogitsTarget(Target):
    """A target about the classes of an input, of logits (B, classes)."""

    reads_classes: ClassVar[bool] = True

    def answer(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return the logits, (B, classes)."""
        return select_logits(returned, len(inputs))


def class_index(label: Any, classes: int, names: Sequence[str]) -> int:
    """Return the index of a class that is given by index or name.

    Raises:
        ConfigError: There is no such class; names the closest.
    """
    last = max(classes - 1, 1)  # a single logit tells two classes apart
    if isinstance(label, str):
        if label in names:
            return list(names).index(label)
        known = f"Known: {', '.join(names[:10])}." if names else "No class names are known."
        raise ConfigError(
            f"Target class {label!r} does not exist.{closest(label, names)} {known} Give an "
            f"index, 0 to {last}, or class_names= with the name of every class."
        )
    if isinstance(label, bool) or not isinstance(label, int):
        raise ConfigError(
            f"A target is a class index, a class name, None, a Target or a loss; got {label!r}."
        )
    if not 0 <= label <= last:
        raise ConfigError(
            f"Target class {label} does not exist: the classifier has classes 0 to {last}."
        )
    return label


def class_name(index: int, names: Sequence[str]) -> str:
    """Return the name of a class, or its number where it has none."""
    return names[index] if index < len(names) else f"class {index}"


def chosen_class(label: Any, answer: Tensor, facts: Facts) -> int:
    """Return the class that is given, else the predicted one.

    `answer` are logits (classes,).
    """
    if label is None:
        return int(predictions(answer[None]))
    return class_index(label, answer.shape[-1], facts.class_names)


def find_part(
    returned: Any, rows: int, names: Sequence[str], ndim: int, what: str, target: str
) -> Tensor:
    """Return a tensor of `rows` rows and `ndim` dimensions in what a model returned.

    It is what is returned, else the first part of the given names, else the only one of that shape.

    Raises:
        AttributionError: There is none; `what` says what is expected, for which target.
    """
    parts = {"": returned} if isinstance(returned, Tensor) else parts_of(returned)

    def fits(part: Any) -> bool:
        return isinstance(part, Tensor) and part.ndim == ndim and len(part) == rows

    named = [parts[name] for name in names if fits(parts.get(name))]
    found = named or [part for part in parts.values() if fits(part)]
    if len(found) == 1 or named:
        tensor: Tensor = found[0]
        return tensor
    shapes = ", ".join(
        f"{name!r} {tuple(part.shape)}" if name else str(tuple(part.shape))
        for name, part in parts.items()
        if isinstance(part, Tensor)
    )
    raise AttributionError(
        f"{target} expects {what}; the model returns {type(returned).__name__} with "
        f"{shapes or 'no tensors'} for {rows} inputs. Say which part it is with output=, or ask "
        "another target."
    )
