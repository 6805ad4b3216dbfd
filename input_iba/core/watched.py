"""A classifier of which features at several layers are read in the pass that gives its logits."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier, Run, run_alone
from input_iba.core.folding import Pair, Read
from input_iba.core.hooks import Rewrite, Wrapping, find_layer, hooked, rewrap, unwrap
from input_iba.core.outputs import Output
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError


@dataclass(frozen=True)
class Tap:
    """A place at which features are read.

    Attributes:
        layer: Name of a module that is called once in a forward pass.
        side: 'output' for what it puts out, 'input' for what goes into it.
    """

    layer: str
    side: str = "output"


class WatchedClassifier(Classifier):
    """A classifier and some of its layers; further arguments are those of a `Classifier`.

    Args:
        taps: Where features are read.
        wrappings: How they lie there, one for each tap.

    Raises:
        LayerNotFoundError: The model has no such layer.
    """

    def __init__(
        self,
        model: nn.Module,
        taps: Sequence[Tap],
        wrappings: Sequence[Wrapping],
        *,
        run: Run = run_alone,
        autocast: torch.dtype | None = None,
        output: Output | None = None,
    ) -> None:
        super().__init__(model, run=run, autocast=autocast, output=output)
        self.taps = tuple(taps)
        self._wrappings = tuple(wrappings)
        self._modules = [find_layer(model, tap.layer) for tap in taps]
        self._pairs: dict[str, Any] = {}  # shared by copies that read another answer
        self._overwritten: set[int] = set()  # taps behind which something writes in place

    def _foldable(self, example: Tensor, tokens: Behind) -> list[Pair]:
        """Look for what can be folded anew only where weights or the inputs' shape changed."""
        tensors = chain(self.model.parameters(), self.model.buffers())
        key = (example.shape[1:], tuple((id(tensor), tensor._version) for tensor in tensors))
        if self._pairs.get("of") != key:
            self._pairs.update(of=key, found=super()._foldable(example, tokens))
        found: list[Pair] = self._pairs["found"]
        return found

    def _reads(self, example: Tensor, tokens: Behind) -> tuple[Read, ...]:
        def each(i: int) -> Read:
            return lambda: self.look(example, tokens)[1][i]

        return (*super()._reads(example, tokens), *map(each, range(len(self.taps))))

    def look(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the classifier on (B, …) once; return logits (B, classes) and features (B, …).

        Features are in the type in which the classifier computes, one tensor for each tap.

        Raises:
            AttributionError: A layer is called never, or more than once.
        """
        for i, wrapping in enumerate(self._wrappings):
            wrapping.settle(partial(self._value, i), inputs, tokens)
        logits, values = self._pass(inputs, tokens)
        arranged = zip(self._wrappings, values, strict=True)
        return logits, tuple(wrapping.unwrap(value, inputs) for wrapping, value in arranged)

    def _value(self, tap: int, inputs: Tensor, tokens: Behind) -> Any:
        return self._pass(inputs, tokens)[1][tap]

    def _pass(self, inputs: Tensor, tokens: Behind) -> tuple[Tensor, list[Any]]:
        seen: list[list[_Seen]] = [[] for _ in self.taps]
        with ExitStack() as stack:
            for i, (tap, module) in enumerate(zip(self.taps, self._modules, strict=True)):
                noting = _noting(seen[i], i in self._overwritten)
                stack.enter_context(hooked(module, noting, tap.side))
            logits = self.logits(inputs, tokens)
        for tap, values in zip(self.taps, seen, strict=True):
            if len(values) != 1:
                raise AttributionError(
                    f"Layer {tap.layer!r} is called {len(values)} times in one forward pass; an "
                    "explainer reads layers that are called once. Choose others: taps=."
                )
        found = [values[0] for values in seen]
        # Found out by the first pass, so that the others copy what they must and nothing else.
        overwritten = {i for i, one in enumerate(found) if one.overwritten}
        if overwritten - self._overwritten:
            self._overwritten |= overwritten
            return self._pass(inputs, tokens)
        return logits, [one.value for one in found]


@dataclass(frozen=True)
class _Seen:
    """What flowed at a tap; `tensor` is the one in it that is read, written `version` times."""

    value: Any
    tensor: Tensor | None
    version: int

    @property
    def overwritten(self) -> bool:
        """Whether a layer behind the tap has written into it."""
        return self.tensor is not None and self.tensor._version != self.version


def _noting(seen: list[_Seen], copy: bool) -> Rewrite:
    """Return a rewrite that changes nothing and notes what it is given, or a copy of it."""

    def note(value: Any) -> Any:
        try:
            tensor = unwrap(value)
        except AttributionError:  # such as a packed sequence, which the wrapping reads
            seen.append(_Seen(value, None, 0))
            return value
        kept = rewrap(value, tensor.clone()) if copy else value
        seen.append(_Seen(kept, None if copy else tensor, tensor._version))
        return value

    return note
