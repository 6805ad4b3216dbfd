"""A classifier with a tap at one layer: read what flows there, or put something in its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.forward import Run, logits_of, own_inputs, precision, prepared, run_alone
from input_iba.core.hooks import Wrapping, find_layer, hooked
from input_iba.core.modes import frozen
from input_iba.core.prefix import Prefix, recording
from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError


class _LayerReachedError(Exception):
    """Stops a forward pass once the layer has been read."""


class TappedClassifier:
    """A classifier and one of its layers.

    Inputs are images (B, C, H, W), or embeddings (B, T, E) with the tokens behind them. Inputs
    and results are in the inputs' floating-point type; `autocast` concerns only what
    happens inside the classifier.

    Args:
        model: Maps (B, …) to logits (B, classes).
        layer: Name of a module in it that is called once in a forward pass.
        side: 'output' to tap what the layer puts out, 'input' for what goes into it.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        wrapping: How the features lie in what flows at the tap.
        run: Runs the model.

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
    ) -> None:
        self.model = model
        self.layer = layer
        self.side = side
        self.autocast = autocast
        self._module = find_layer(model, layer)
        self._wrapping = wrapping
        self._run = run

    @contextmanager
    def frozen(self) -> Iterator[TappedClassifier]:
        """Keep the model in eval mode without weight gradients, and restore it afterwards."""
        with frozen(self.model):
            yield self

    @contextmanager
    def prepared(self, example: Tensor, tokens: Tokens | None = None) -> Iterator[TappedClassifier]:
        """Freeze the model and make it cheaper to run, and restore it afterwards.

        Batch norms are folded into the convolutions before them where that changes neither the
        features at the tap nor the logits, and weights are held in the type of `autocast`.

        Args:
            example: A few inputs, (B, …), on which to compare.
            tokens: The tokens behind them.
        """
        exact = copy.copy(self)
        exact.autocast = None
        with prepared(
            self.model,
            self.autocast,
            lambda: exact.logits(example, tokens),
            lambda: exact.features(example, tokens),
            tap=self._module,
        ):
            yield self

    def features(self, inputs: Tensor, tokens: Tokens | None = None) -> Tensor:
        """Run the classifier up to the layer, and no further.

        Args:
            inputs: (B, …).
            tokens: The tokens behind embeddings.

        Returns:
            What flows at the tap, (B, …), in the graph of `inputs` where gradients are on.

        Raises:
            AttributionError: The layer is not called.
        """
        read: list[Tensor] = []

        def stop(value: Any) -> Any:
            read.append(self._wrapping.unwrap(value, inputs))
            raise _LayerReachedError

        with hooked(self._module, stop, self.side), precision(self.autocast, inputs.device):
            try:
                self._run(self.model, own_inputs(inputs), tokens)
            except _LayerReachedError:
                return read[0].to(inputs.dtype)
        raise AttributionError(self._never_called())

    @torch.no_grad()
    def prefix(self, inputs: Tensor, tokens: Tokens | None = None) -> Prefix:
        """Record what the modules before the layer put out for inputs (B, …)."""
        with recording(self.model) as recorded:
            self.features(inputs, tokens)
            return recorded()

    def logits(self, inputs: Tensor, tokens: Tokens | None = None) -> Tensor:
        """Run the whole classifier.

        Args:
            inputs: (B, …).
            tokens: The tokens behind embeddings.

        Returns:
            (B, classes).

        Raises:
            AttributionError: The classifier puts out something else.
        """
        return logits_of(lambda x: self._run(self.model, x, tokens), inputs, self.autocast)

    def logits_with(self, inputs: Tensor, features: Tensor, tokens: Tokens | None = None) -> Tensor:
        """Run the classifier with `features` in place of what flows at the tap.

        Args:
            inputs: (B, …).
            features: (B, …), the shape that `features(inputs)` has.
            tokens: The tokens behind embeddings.

        Returns:
            (B, classes), in the graph of `features`.

        Raises:
            AttributionError: The layer is called never, or more than once.
        """
        calls = 0

        def replace(value: Any) -> Any:
            nonlocal calls
            calls += 1
            dtype = self._wrapping.unwrap(value, inputs).dtype
            return self._wrapping.rewrap(value, features.to(dtype), inputs)

        with hooked(self._module, replace, self.side):
            logits = self.logits(inputs, tokens)
        if calls == 0:
            raise AttributionError(self._never_called())
        if calls > 1:
            raise AttributionError(
                f"Layer {self.layer!r} is called {calls} times in one forward pass, so its output "
                "is not one set of features. Choose a layer that is called once, such as the "
                "block around it."
            )
        return logits

    def _never_called(self) -> str:
        return (
            f"Layer {self.layer!r} is not called in the classifier's forward pass. "
            "'input-iba layers CONFIG' lists the layers that are."
        )
