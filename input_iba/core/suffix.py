"""Run a classifier from a layer on, where the network allows it.

What lies before the layer is skipped, since the layer's output is replaced anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from input_iba.core.modes import replaced_forward, same
from input_iba.core.recurrent import hollow_output
from input_iba.core.tap import TappedClassifier
from input_iba.core.tokens import NO_TOKENS, Behind


class ResumedClassifier:
    """A classifier that goes on from its tap without computing what lies before.

    A network in which more than the layer's output goes on, such as a skip connection around it,
    is run whole: that is found out by comparing both ways on one or two examples (n, …). The
    classifier is frozen for as long as this object is used.
    """

    def __init__(
        self, classifier: TappedClassifier, examples: Tensor, tokens: Behind = NO_TOKENS
    ) -> None:
        self._classifier = classifier
        self._example = examples[:1]
        with torch.no_grad(), recording(classifier.model) as recorded:
            classifier.features(self._example, tokens.select([0]))
            prefix = recorded()
        can = self._can_skip(prefix, examples[:2], tokens.select(slice(2)))
        self._prefix = prefix if can else None

    @property
    def skips(self) -> bool:
        """Whether only the part behind the layer is computed."""
        return self._prefix is not None

    def logits(self, inputs: Tensor, features: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Map features (S·K, …), K in turn for every input, to logits (S·K, classes)."""
        if self._prefix is None:
            rows = inputs.repeat_interleave(len(features) // len(inputs), 0)
            return self._classifier.logits_with(rows, features, tokens)
        return self._skipping(self._prefix, features, tokens)

    def _skipping(self, prefix: Prefix, features: Tensor, tokens: Behind) -> Tensor:
        rows = len(features)
        with prefix.skipped(rows, tokens.lengths):
            hollow = hollow_rows(self._example, rows)
            return self._classifier.logits_with(hollow, features, tokens)

    @torch.no_grad()
    def _can_skip(self, prefix: Prefix, inputs: Tensor, tokens: Behind) -> bool:
        features = self._classifier.features(inputs, tokens).repeat_interleave(2, 0)
        features[1::2] *= 0.5
        twice = tokens.repeat(2)
        expected = self._classifier.logits_with(inputs.repeat_interleave(2, 0), features, twice)
        try:
            found = self._skipping(prefix, features, twice)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # whatever a network says to NaN that cannot be written to
            return False
        return same(expected, found, self._classifier.autocast)


@dataclass(frozen=True)
class Prefix:
    """The modules that a classifier has finished before it goes on from a layer.

    Attributes:
        calls: The outermost of them and what they put out for one input, in the order of calls.
    """

    calls: tuple[tuple[nn.Module, Any], ...]

    @contextmanager
    def skipped(self, rows: int, lengths: Tensor | None = None) -> Iterator[None]:
        """Make these modules return NaN of the right shape for `rows` inputs, without computing.

        A module that is called more often than recorded computes from then on. NaN shows up in
        the logits where something behind the layer reads what came before it. Of texts, `lengths`
        are (rows,).
        """
        outputs: dict[nn.Module, list[Any]] = {}
        for module, output in self.calls:
            if isinstance(module, nn.RNNBase) and lengths is not None:
                hollow = hollow_output(output, rows, lengths)
            else:
                hollow = tree_map(lambda value: _hollow(value, rows), output)
            outputs.setdefault(module, []).append(hollow)
        with ExitStack() as stack:
            for module, values in outputs.items():
                forward = _in_turn(values, module.forward)
                stack.enter_context(replaced_forward(module, forward))
            yield


@contextmanager
def recording(model: nn.Module) -> Iterator[Callable[[], Prefix]]:
    """Record what modules put out; call what is yielded for the calls so far.

    Leave the forward pass by an exception at the layer: modules that it interrupts have put out
    nothing, and so are not part of the prefix.
    """
    calls: list[tuple[nn.Module, Any]] = []
    begun: list[int] = []

    def begin(_module: nn.Module, _args: object) -> None:
        begun.append(len(calls))

    def end(module: nn.Module, _args: object, output: object) -> None:
        del calls[begun.pop() :]  # what ran within the module is part of it
        calls.append((module, output))

    with ExitStack() as stack:
        for module in model.modules():
            stack.enter_context(module.register_forward_pre_hook(begin))
            stack.enter_context(module.register_forward_hook(end))
        yield lambda: Prefix(tuple(calls))


def hollow_rows(example: Tensor, rows: int) -> Tensor:
    """Return NaN in the shape of `rows` examples (1, …), which take no memory."""
    return example.new_full((), math.nan).expand(rows * example.shape[0], *example.shape[1:])


def _hollow(value: Any, rows: int) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point() and value.ndim > 0:
        return hollow_rows(value, rows)
    return value


def _in_turn(values: list[Any], compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives out values one by one, and then computes."""
    left = iter(values)

    def forward(*args: Any, **kwargs: Any) -> Any:
        for value in left:
            return value
        return compute(*args, **kwargs)

    return forward
