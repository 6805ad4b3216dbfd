"""Wasserstein critics of feature maps, S of them stacked into one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from input_iba.core.precision import precision

SMALLEST_MAP = 4
"""Pixels per side below which two strided convolutions leave nothing; maps are padded to it."""


class VisionCritic(nn.Module):
    """Score feature maps: three convolutions and three linear layers, one number per map (C, h, w).

    Of signals and volumes the convolutions have one and three dimensions. Batch norms always use
    the batch's own statistics. Maps below 4 × 4 are padded with zeros at the bottom and the right.

    References:
        Zhang et al. 2021 (arXiv 2110.01471); docs/METHOD.md, section 3; Arjovsky et al.
        2017 (arXiv 1701.07875).
    """

    def __init__(self, channels: int, *size: int) -> None:
        super().__init__()
        self.size = tuple(max(side, SMALLEST_MAP) for side in size)
        dims = len(size)
        widths = (channels, 2 * channels, 4 * channels, channels)
        self.convolutions = nn.Sequential(
            *_block(dims, widths[0], widths[1], kernel=4, stride=2),
            *_block(dims, widths[1], widths[2], kernel=4, stride=2),
            *_block(dims, widths[2], widths[3], kernel=3, stride=1),
        )
        positions = math.prod(side // 2 // 2 for side in self.size)
        self.head = nn.Sequential(
            nn.Linear(channels * positions, 512),
            nn.LeakyReLU(0.2),
            nn.Linear(512, 256),
            nn.LeakyReLU(0.2),
            nn.Linear(256, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, C, h, w) to scores (n,)."""
        missing = [side - has for side, has in zip(self.size, features.shape[2:], strict=True)]
        if any(missing):
            features = F.pad(features, [n for side in missing[::-1] for n in (0, side)])
        maps: Tensor = self.convolutions(features)
        scores: Tensor = self.head(maps.flatten(1))
        return scores.squeeze(1)


CONVOLUTIONS: dict[int, type[nn.Conv1d] | type[nn.Conv2d] | type[nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}
NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
"""By the number of spatial dimensions."""


def _block(dims: int, inputs: int, outputs: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    return (
        CONVOLUTIONS[dims](inputs, outputs, kernel, stride=stride, padding=1),
        NORMS[dims](outputs, track_running_stats=False),
        nn.LeakyReLU(0.2),
    )


class TextCritic(nn.Module):
    """Score sequences of features (T, D): one LSTM layer and two linear layers, one number each.

    The recurrence is written in plain operations, so that critics can be stacked; its weights are
    those of `nn.LSTM`, with one bias instead of the sum of two.

    References:
        docs/METHOD.md, sections 3 and 7; Hochreiter and Schmidhuber 1997 (Long short-term memory).
    """

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        lstm = nn.LSTM(channels, width)
        self.width = width
        into, again, bias, more = (value.detach() for value in lstm.parameters())
        self.into = nn.Parameter(into.T.contiguous())
        self.again = nn.Parameter(again.T.contiguous())
        self.bias = nn.Parameter(bias + more)
        self.head = nn.Sequential(nn.Linear(width, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1))

    def forward(self, features: Tensor, scored: Tensor) -> Tensor:
        """Map sequences (n, T, D) to scores (n,); steps not scored, (T,), leave the state alone."""
        gates = features @ self.into + self.bias
        hidden = features.new_zeros(len(features), self.width)
        cell = hidden
        for step, seen in zip(gates.unbind(1), scored, strict=True):
            entry, keep, value, out = (step + hidden @ self.again).chunk(4, -1)
            new_cell = keep.sigmoid() * cell + entry.sigmoid() * value.tanh()
            new_hidden = out.sigmoid() * new_cell.tanh()
            cell = torch.where(seen, new_cell, cell)
            hidden = torch.where(seen, new_hidden, hidden)
        scores: Tensor = self.head(hidden)
        return scores.squeeze(1)


class StackedCritics:
    """S critics of one shape, each with its own weights, evaluated together.

    `autocast` is the type in which they compute where that is safe, None for their own.
    """

    def __init__(self, critics: Sequence[nn.Module], autocast: torch.dtype | None = None) -> None:
        stacked, _ = stack_module_state(list(critics))
        self.parameters: dict[str, Tensor] = {
            name: value.detach().requires_grad_() for name, value in stacked.items()
        }
        self._skeleton = critics[0]
        self._autocast = autocast

    def __call__(self, features: Tensor, *of_sample: Tensor) -> Tensor:
        """Map (S, n, …) to scores (S, n), sample s by critic s, with its row of other arguments."""
        with precision(self._autocast, features.device):
            if len(features) == 1:
                alone = {name: value[0] for name, value in self.parameters.items()}
                scores = self._score(alone, features[0], *(v[0] for v in of_sample))[None]
            else:
                scores = vmap(self._score)(self.parameters, features, *of_sample)
        return scores.to(features.dtype)

    def _score(self, parameters: dict[str, Tensor], *arguments: Tensor) -> Tensor:
        scores: Tensor = functional_call(self._skeleton, parameters, arguments)
        return scores

    @torch.no_grad()
    def clip(self, limit: float) -> None:
        """Clamp every weight to ±`limit`, which bounds the critics' slopes."""
        for value in self.parameters.values():
            value.clamp_(-limit, limit)


def build_critics(
    make: Callable[[], nn.Module],
    seeds: Sequence[int],
    like: Tensor,
    autocast: torch.dtype | None = None,
) -> StackedCritics:
    """Build one critic per seed, as `like` in type and device; torch's random state stays as it is.

    `make` builds one with weights drawn from torch's global generator.
    """
    critics = []
    with torch.random.fork_rng(devices=[]):
        for seed in seeds:
            torch.manual_seed(seed)
            critics.append(make().to(like))
    return StackedCritics(critics, autocast)
