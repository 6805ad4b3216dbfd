"""A classifier with a tap at one layer: read what flows there, or put something in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.classifier import Classifier, Run, run_alone
from input_iba.core.folding import Read
from input_iba.core.hooks import Wrapping, find_layer, hooked
from input_iba.core.modes import same
from input_iba.core.outputs import Output
from input_iba.core.targets.default import default_target
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError


class _LayerReachedError(Exception):
    """Stops a forward pass once the layer has been read."""


class TappedClassifier(Classifier):
    """A classifier and one of its layers; further arguments are those of a `Classifier`.

    Args:
        layer: Name of a module in it that is called once in a forward pass.
        side: 'output' to tap what the layer puts out, 'input' for what goes into it.
        wrapping: How the features lie in what flows at the tap.

    Raises:
        LayerNotFoundError: The model has no such layer.
    """

    def __init__(
        self,
        model: nn.Module,
        layer: str,
        *,
        side: str = "output",
        autocast: torch.dtype | None = None,
        wrapping: Wrapping = Wrapping(),  # noqa: B008  stateless
        run: Run = run_alone,
        output: Output | None = None,
        kept: Sequence[nn.Module] = (),
    ) -> None:
        self._module = find_layer(model, layer)
        kept = (self._module, *kept)
        super().__init__(model, run=run, autocast=autocast, output=output, kept=kept)
        self.layer = layer
        self.side = side
        self._wrapping = wrapping

    def _reads(self, example: Tensor, tokens: Behind) -> tuple[Read, ...]:
        return (*super()._reads(example, tokens), lambda: self.features(example, tokens))

    def features(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Run the classifier on (B, …) up to the layer, and no further; return (B, …).

        Raises:
            AttributionError: The layer is not called.
        """
        self._settle(inputs, tokens)
        return self._wrapping.unwrap(self._read(inputs, tokens), inputs).to(inputs.dtype)

    def arranged(self, value: Tensor, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return a value that lies as what flows at the tap, (B, …), as features of the inputs."""
        self._settle(inputs, tokens)
        return self._wrapping.unwrap(value, inputs)

    def _settle(self, inputs: Tensor, tokens: Behind) -> None:
        with torch.no_grad():
            self._wrapping.settle(self._read, inputs, tokens)

    def _read(self, inputs: Tensor, tokens: Behind) -> Any:
        read: list[Any] = []

        def stop(value: Any) -> Any:
            read.append(value)
            raise _LayerReachedError

        with hooked(self._module, stop, self.side):
            try:
                self.returned(inputs, tokens)
            except _LayerReachedError:
                return read[0]
        return self.check_calls(0)

    def calls(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> int:
        """Count how often one forward pass calls the layer."""
        count = 0

        def note(value: Any) -> Any:
            nonlocal count
            count += 1
            return value

        with torch.no_grad(), hooked(self._module, note, self.side):
            self.returned(inputs, tokens)
        return count

    def logits_with(self, inputs: Tensor, features: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Run the classifier with `features` (B, …) at the tap; return logits (B, classes).

        Raises:
            AttributionError: The layer is called never, or more than once.
        """
        calls = 0
        self._settle(inputs, tokens)

        def replace(value: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise _LayerReachedError
            dtype = self._wrapping.unwrap(value, inputs).dtype
            return self._wrapping.rewrap(value, features.to(dtype), inputs)

        with hooked(self._module, replace, self.side):
            try:
                logits = self.logits(inputs, tokens)
            except _LayerReachedError:
                calls = -1
        if calls < 0:
            self.check_calls(self.calls(inputs, tokens))
        self.check_calls(calls)
        return logits

    @torch.no_grad()
    def decides(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> bool:
        """Return whether the logits change with the features; of texts, of scored tokens.

        They need not: a backbone may put out a map beside what is pooled from it, and only that is
        read; and of a last block of a transformer the class token alone.
        """
        with self.frozen():
            features = self.features(inputs, tokens)
            changed = tokens.only_scored(-features, features)
            returned = self.returned(inputs, tokens)
            suggested = default_target(self.part(returned), inputs)
            readable = self.readable(returned, inputs, tokens)
            if suggested is not None:  # hidden states may be returned beside the answer
                readable = self.answering(suggested.answer)
            logits = readable.read(returned, inputs, tokens)
            return not same(logits, readable.logits_with(inputs, changed, tokens), self.dtype)

    def check_calls(self, calls: int) -> None:
        """Refuse a layer that is not called exactly once in a forward pass.

        Raises:
            AttributionError: Says how often it is called.
        """
        if calls == 0:
            raise AttributionError(
                f"Layer {self.layer!r} is not called in the classifier's forward pass. "
                "'input-iba layers CONFIG' lists the layers that are."
            )
        if calls > 1:
            raise AttributionError(
                f"Layer {self.layer!r} is called {calls} times in one forward pass, so its output "
                "is not one set of features. Choose a layer that is called once, such as the "
                "block around it."
            )
