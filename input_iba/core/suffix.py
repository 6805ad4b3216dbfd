"""Run a classifier from a layer on, where the network allows it.

What lies before the layer is skipped, since the layer's output is replaced anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
        with torch.no_grad(), recording(classifier.model) as self._prefix:
            classifier.features(self._example, tokens.select([0]))
        self.skips = self._can_skip(examples[:2], tokens.select(slice(2)))

    def logits(self, inputs: Tensor, features: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Map features (S·K, …), K in turn for every input, to logits (S·K, classes)."""
        if self.skips:
            return self._skipping(features, tokens)
        rows = inputs.repeat_interleave(len(features) // len(inputs), 0)
        return self._classifier.logits_with(rows, features, tokens)

    def _skipping(self, features: Tensor, tokens: Behind) -> Tensor:
        rows = len(features)
        with skipped(self._prefix, rows, tokens.lengths):
            hollow = hollow_rows(self._example, rows)
            return self._classifier.logits_with(hollow, features, tokens)

    @torch.no_grad()
    def _can_skip(self, inputs: Tensor, tokens: Behind) -> bool:
        features = self._classifier.features(inputs, tokens).repeat_interleave(2, 0)
        features[1::2] *= 0.5
        twice = tokens.repeat(2)
        expected = self._classifier.logits_with(inputs.repeat_interleave(2, 0), features, twice)
        try:
            found = self._skipping(features, twice)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # whatever a network says to NaN that cannot be written to
            return False
        return same(expected, found, self._classifier.autocast)


Call = tuple[nn.Module, Any]
"""A module that a classifier has finished, and what it put out for one input."""


@contextmanager
def skipped(prefix: Sequence[Call], rows: int, lengths: Tensor | None = None) -> Iterator[None]:
    """Make modules return NaN of the right shape for `rows` inputs, without computing.

    A module that is called more often than recorded computes from then on. NaN shows up in the
    logits where something behind the layer reads what came before it. Of texts, `lengths` are
    (rows,).
    """
    outputs: dict[nn.Module, list[Any]] = {}
    for module, output in prefix:
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
def recording(model: nn.Module) -> Iterator[list[Call]]:
    """Record the outermost modules and what they put out, in the order of calls.

    Leave the forward pass by an exception at the layer: modules that it interrupts have put out
    nothing, and so are not recorded.
    """
    calls: list[Call] = []
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
        yield calls


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
