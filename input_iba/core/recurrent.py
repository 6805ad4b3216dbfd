"""What recurrent layers put out: sequences, packed or padded, and their final hidden state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from input_iba.core.hooks import Wrapping


@dataclass(frozen=True)
class RecurrentWrapping(Wrapping):
    """Features (B, T, D) at a side of a recurrent layer: the sequence that goes in or comes out.

    What comes after the layer may read its final hidden state instead of the sequence. So the
    features also replace the top layer's final hidden state, by their last valid step (and by
    their first step in the backward direction).

    References:
        docs/METHOD.md, section 7.
    """

    layer: nn.RNNBase
    side: str = "output"

    def unwrap(self, output: Any, inputs: Tensor) -> Tensor:
        """Return the sequence as (B, T, D), zero at padding."""
        sequence = _sequence(output)
        if isinstance(sequence, PackedSequence):
            length = inputs.shape[1]
            sequence, _ = pad_packed_sequence(sequence, batch_first=True, total_length=length)
            return sequence
        padded: Tensor = sequence
        return padded if self.layer.batch_first else padded.transpose(0, 1)

    def rewrap(self, output: Any, value: Tensor, inputs: Tensor) -> Any:
        """Put (B, T, D) in place of the sequence and of the final hidden state."""
        sequence = _sequence(output)
        steps = torch.full((len(value),), value.shape[1])
        replaced: Any = value if self.layer.batch_first else value.transpose(0, 1)
        if isinstance(sequence, PackedSequence):
            steps = pad_packed_sequence(sequence, batch_first=True)[1]
            replaced = pack_padded_sequence(value, steps, batch_first=True, enforce_sorted=False)
        if sequence is output:
            return replaced
        states = output[1]
        if self.side == "output" and isinstance(states, tuple):
            states = (self._final(states[0], value, steps), *states[1:])
        elif self.side == "output":
            states = self._final(states, value, steps)
        return (replaced, states, *output[2:])

    def _final(self, hidden: Tensor, value: Tensor, steps: Tensor) -> Tensor:
        """Replace the top layer's part of a hidden state (layers · directions, B, D)."""
        rows = torch.arange(len(value), device=value.device)
        last = value[rows, steps.to(value.device) - 1]
        if not self.layer.bidirectional:
            return torch.cat([hidden[:-1], last[None]])
        width = value.shape[2] // 2
        return torch.cat([hidden[:-2], last[None, :, :width], value[None, :, 0, width:]])


def _sequence(output: Any) -> Any:
    """Return the sequence in what flows at a layer; a packed one is itself a tuple."""
    return output if isinstance(output, Tensor | PackedSequence) else output[0]


def hollow_output(output: Any, rows: int, lengths: Tensor) -> Any:
    """Return NaN in the shape of a recurrent layer's output for other texts, of `lengths` (rows,).

    `output` is what the layer put out for one text: a sequence, packed or (1, T, D), and states
    (layers, 1, D).
    """
    sequence, states = output
    if isinstance(sequence, PackedSequence):
        shape = (rows, int(lengths.max()), sequence.data.shape[1])
        nan = sequence.data.new_full((), math.nan).expand(shape)
        hollow: Any = pack_padded_sequence(nan, lengths, batch_first=True, enforce_sorted=False)
    else:
        hollow = _hollow_along(sequence, rows, 0)
    if isinstance(states, tuple):
        return hollow, tuple(_hollow_along(state, rows, 1) for state in states)
    return hollow, _hollow_along(states, rows, 1)


def _hollow_along(value: Tensor, rows: int, dim: int) -> Tensor:
    shape = list(value.shape)
    shape[dim] = rows
    return value.new_full((), math.nan).expand(shape)
