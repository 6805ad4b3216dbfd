"""Mean, deviation and share of non-zero values of a layer, merged batch by batch."""

from __future__ import annotations

import torch
from torch import Tensor

from input_iba.errors import AttributionError
from input_iba.records import FeatureStatistics


class RunningStatistics:
    """Per-element statistics over samples, exact for any split into batches.

    References:
        Chan, Golub, LeVeque 1979: parallel update of mean and sum of squared deviations.

    >>> running = RunningStatistics()
    >>> running.update(torch.tensor([[0.0], [2.0]]))
    >>> running.update(torch.tensor([[4.0]]))
    >>> result = running.result()
    >>> result.mean.item(), result.std.item(), result.count
    (2.0, 2.0, 3)
    """

    def __init__(self) -> None:
        self.count = 0
        self._mean = torch.zeros(())
        self._squares = torch.zeros(())
        self._nonzero = torch.zeros(())

    @classmethod
    def of(cls, batch: Tensor) -> RunningStatistics:
        """Return the statistics of one batch, (B, *shape), on the CPU.

        Raises:
            AttributionError: The batch is not finite.
        """
        if not torch.isfinite(batch).all():
            raise AttributionError(
                "The layer's output holds NaN or infinity on the estimation set: "
                "check the classifier's weights and the pipeline's normalisation."
            )
        mean = batch.mean(0)
        found = cls()
        found.count = len(batch)
        found._mean = mean.cpu()
        found._squares = (batch - mean).square().sum(0).cpu()
        found._nonzero = (batch != 0).to(batch.dtype).sum(0).cpu()
        return found

    def update(self, batch: Tensor) -> None:
        """Take in a whole batch, (B, *shape); see `of` and `merge`."""
        self.merge(self.of(batch))

    def merge(self, other: RunningStatistics) -> None:
        """Add what another object has seen, such as in another process.

        The same batches in the same order give the same bits, wherever each was computed.

        Raises:
            AttributionError: The layer's output has another shape than before.
        """
        if other.count == 0:
            return
        if self.count and other._mean.shape != self._mean.shape:
            raise AttributionError(
                f"The layer's output changed its shape from {tuple(self._mean.shape)} to "
                f"{tuple(other._mean.shape)}: all samples of the estimation set must have one size."
            )
        if self.count == 0:
            self.count, self._mean = other.count, other._mean
            self._squares, self._nonzero = other._squares, other._nonzero
            return
        total = self.count + other.count
        delta = other._mean - self._mean
        self._mean = self._mean + delta * (other.count / total)
        self._squares = (
            self._squares + other._squares + delta.square() * (self.count * other.count / total)
        )
        self._nonzero = self._nonzero + other._nonzero
        self.count = total

    def result(self) -> FeatureStatistics:
        """Return the statistics of all samples so far.

        Raises:
            AttributionError: Fewer than two samples were seen, so no deviation exists.
        """
        if self.count < 2:
            raise AttributionError(
                f"Feature statistics need at least 2 samples in the estimation set, "
                f"got {self.count}. Use 1,000 or more for good maps."
            )
        std = (self._squares / (self.count - 1)).sqrt()
        return FeatureStatistics(self._mean, std, self._nonzero / self.count, self.count)
