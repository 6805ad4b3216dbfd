"""How a classifier is run: on what, in which precision, and which of its outputs are logits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from input_iba.core.explainable import bare, weights_dtype
from input_iba.core.folding import Pair, Read, foldable, folded, weights_in
from input_iba.core.modes import frozen
from input_iba.core.outputs import Output, everything, part_of, select_logits
from input_iba.core.precision import precision
from input_iba.core.tokens import NO_TOKENS, Behind
from input_iba.errors import AttributionError

Run = Callable[[nn.Module, Tensor, Behind], Any]
"""Runs a classifier on inputs (B, …), behind which the given tokens stand, if any."""


def run_alone(model: nn.Module, inputs: Tensor, tokens: Behind) -> Any:
    """Give the inputs to the model, and what stands beside them."""
    return model(inputs, *tokens.beside.copied())


Answer = Callable[[Any, Tensor, Behind], Tensor]
"""Reads (B, …) in what a model returned for inputs (B, …), behind which the given tokens stand."""


Own = TypeVar("Own", bound="Classifier")


class Classifier:
    """A classifier of images (B, C, H, W), or of embeddings (B, T, E) with the tokens behind them.

    Inputs and logits are in the inputs' floating-point type, whatever the weights are in;
    `autocast` concerns only what happens inside.

    Args:
        model: Maps (B, …) to logits (B, classes), or to something that holds them.
        autocast: Type in which the classifier computes where that is safe, or None for its own.
        output: Which part of what the model returns the logits are; see `select_logits`.
        kept: Modules whose own input and output stay what they are when the model is made cheaper.

    Attributes:
        model: The network, without what parallelises or compiles it.
        dtype: Type of its weights, None where it has none.
        answer: Reads what is asked about where that is not logits (B, classes).
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        run: Run = run_alone,
        autocast: torch.dtype | None = None,
        output: Output | None = None,
        kept: Sequence[nn.Module] = (),
    ) -> None:
        self.model = bare(model)
        self.output = output
        self.answer: Answer | None = None
        self._run = run
        self._kept = kept
        # Known now: `prepared` holds weights in another type for a while.
        self.dtype = weights_dtype(self.model)
        # Of double precision nobody asks to be rounded.
        self.autocast = None if self.dtype == torch.float64 else autocast

    def frozen(self) -> AbstractContextManager[nn.Module]:
        """Keep the model in eval mode without weight gradients, and restore it afterwards."""
        return frozen(self.model)

    def exact(self: Own) -> Own:
        """Return the same classifier, which computes without autocast."""
        twin = copy(self)
        twin.autocast = None
        return twin

    def answering(self: Own, answer: Answer | None) -> Own:
        """Return the same classifier, of which something else than logits is read."""
        twin = copy(self)
        twin.answer = answer
        return twin

    def readable(self: Own, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Own:
        """Return the same classifier, of which logits are read where the model returns any.

        Else all numbers that it returned for inputs (B, …) are, until a target says what they mean.

        Raises:
            AttributionError: The caller says where the logits are, and they are not there.
        """
        try:
            self.read(returned, inputs, tokens)
        except AttributionError:
            if self.output is not None:
                raise
            return self.answering(everything)
        return self

    @contextmanager
    def prepared(self, example: Tensor, tokens: Behind = NO_TOKENS) -> Iterator[None]:
        """Freeze the model and make it cheaper to run, and restore it afterwards.

        Batch norms are folded into the convolutions before them where, for example inputs (B, …),
        that does not change what is computed; weights are held in the type of `autocast`.
        """
        with frozen(self.model):
            pairs = self._foldable(example, tokens)
            with folded(pairs), weights_in(self.model, self.autocast):
                yield

    def _foldable(self, example: Tensor, tokens: Behind) -> list[Pair]:
        """Return what can be folded, by example inputs (B, …)."""
        return foldable(self.model, self._kept, *self.exact()._reads(example, tokens))

    def _reads(self, example: Tensor, tokens: Behind) -> tuple[Read, ...]:
        """Return what must not change, the logits first."""
        return (lambda: self.logits(example, tokens),)

    def returned(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Any:
        """Run the model on inputs (B, …) and return what it returns."""
        # The caller's own tensors are copied, since an in-place first layer would overwrite them.
        own = inputs.clone() if inputs.grad_fn is None else inputs
        if own.ndim == 4:  # convolutions are fastest in this layout
            own = own.contiguous(memory_format=torch.channels_last)
        with precision(self.autocast, inputs.device):
            return self._run(self.model, own if self.dtype is None else own.to(self.dtype), tokens)

    def logits(self, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Run the whole classifier on (B, …); returns (B, classes), or what else is asked about.

        It is in the type of the inputs.

        Raises:
            AttributionError: The classifier puts out something else.
        """
        return self.read(self.returned(inputs, tokens), inputs, tokens)

    def read(self, returned: Any, inputs: Tensor, tokens: Behind = NO_TOKENS) -> Tensor:
        """Return what `logits` does, of what the model returned for inputs (B, …)."""
        if self.answer is None:
            return select_logits(returned, inputs.shape[0], self.output).to(inputs.dtype)
        return self.answer(self.part(returned), inputs, tokens).to(inputs.dtype)

    def part(self, returned: Any) -> Any:
        """Return the part of what the model returned that the caller named; else all of it."""
        return returned if self.output is None else part_of(returned, self.output)
