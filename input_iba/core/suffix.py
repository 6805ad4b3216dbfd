"""Run a classifier from a layer on, where the network allows it."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.core.modes import same
from input_iba.core.prefix import Prefix, hollow_rows
from input_iba.core.tap import TappedClassifier
from input_iba.core.tokens import Tokens


class ResumedClassifier:
    """A classifier that goes on from its tap without computing what lies before.

    A network in which more than the layer's output goes on, such as a skip connection around it,
    is run whole: that is found out by comparing both ways on a few rows.

    Args:
        classifier: Frozen for as long as this object is used.
        examples: One or two inputs, (n, …).
        tokens: The tokens behind them, if they are embeddings.
    """

    def __init__(
        self, classifier: TappedClassifier, examples: Tensor, tokens: Tokens | None = None
    ) -> None:
        self._classifier = classifier
        self._example = examples[:1]
        prefix = classifier.prefix(self._example, None if tokens is None else tokens.select([0]))
        two = None if tokens is None else tokens.select(slice(2))
        self._prefix = prefix if self._can_skip(prefix, examples[:2], two) else None

    @property
    def skips(self) -> bool:
        """Whether only the part behind the layer is computed."""
        return self._prefix is not None

    def logits(self, inputs: Tensor, features: Tensor, tokens: Tokens | None = None) -> Tensor:
        """Map features (S·K, …), K in turn for every input, to logits (S·K, classes).

        Args:
            inputs: (S, …).
            features: In place of what flows at the tap.
            tokens: The tokens behind S·K embeddings.
        """
        if self._prefix is None:
            rows = inputs.repeat_interleave(len(features) // len(inputs), 0)
            return self._classifier.logits_with(rows, features, tokens)
        return self._skipping(self._prefix, features, tokens)

    def _skipping(self, prefix: Prefix, features: Tensor, tokens: Tokens | None) -> Tensor:
        rows = len(features)
        with prefix.skipped(rows, None if tokens is None else tokens.lengths):
            hollow = hollow_rows(self._example, rows)
            return self._classifier.logits_with(hollow, features, tokens)

    @torch.no_grad()
    def _can_skip(self, prefix: Prefix, inputs: Tensor, tokens: Tokens | None) -> bool:
        features = self._classifier.features(inputs, tokens).repeat_interleave(2, 0)
        features[1::2] *= 0.5
        twice = None if tokens is None else tokens.repeat(2)
        expected = self._classifier.logits_with(inputs.repeat_interleave(2, 0), features, twice)
        try:
            found = self._skipping(prefix, features, twice)
        except torch.OutOfMemoryError:
            raise
        except Exception:  # whatever a network says to NaN that cannot be written to
            return False
        return same(expected, found, self._classifier.autocast)
