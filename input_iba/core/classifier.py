"""How a classifier is run: on what, in which precision, and which of its outputs are logits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.core.explainable import bare, weights_dtype
from input_iba.core.forward import Run, own_inputs, precision, run_alone
from input_iba.core.modes import frozen
from input_iba.core.outputs import Output, select_logits
from input_iba.core.tokens import Tokens


class Classifier:
    """A classifier of images (B, C, H, W), or of embeddings (B, T, E) with the tokens behind them.

    Inputs and logits are in the inputs' floating-point type, whatever the weights are in;
    `autocast` concerns only what happens inside.

    Args:
        model: Maps (B, …) to logits (B, classes), or to something that holds them.
        run: Runs the model.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        output: Which part of what the model returns the logits are; see `select_logits`.

    Attributes:
        model: The network, without what parallelises or compiles it.
        dtype: Type of its weights, None where it has none.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        run: Run = run_alone,
        autocast: torch.dtype | None = None,
        output: Output | None = None,
    ) -> None:
        self.model = bare(model)
        self.autocast = autocast
        self.output = output
        self._run = run
        # Known now: `prepared` holds weights in another type for a while.
        self.dtype = weights_dtype(self.model)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Keep the model in eval mode without weight gradients, and restore it afterwards."""
        with frozen(self.model):
            yield

    def returned(self, inputs: Tensor, tokens: Tokens | None = None) -> Any:
        """Run the model on inputs (B, …) and return what it returns."""
        with precision(self.autocast, inputs.device):
            own = own_inputs(inputs)
            return self._run(self.model, own if self.dtype is None else own.to(self.dtype), tokens)

    def logits(self, inputs: Tensor, tokens: Tokens | None = None) -> Tensor:
        """Run the whole classifier.

        Args:
            inputs: (B, …).
            tokens: The tokens behind embeddings.

        Returns:
            (B, classes), in the type of the inputs.

        Raises:
            AttributionError: The classifier puts out something else.
        """
        found = select_logits(self.returned(inputs, tokens), len(inputs), self.output)
        return found.to(inputs.dtype)
