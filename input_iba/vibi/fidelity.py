"""How well the k chunks of an explanation stand for the whole input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.losses import jensen_shannon
from input_iba.vibi.model import Vibi


@dataclass(frozen=True)
class Fidelity:
    """Agreement with the black box on whole inputs, hard top-k masks; higher is better.

    Attributes:
        approximator: Share of inputs for which the approximator predicts from the top-k chunks
            the class that the black box predicts from everything.
        rationale: Share of inputs for which the black box itself predicts the same class from the
            top-k chunks as from everything.
        distance: Mean Jensen–Shannon distance between the approximator's distribution and the
            black box's, in [0, 1]; lower is better.
        samples: Number of inputs.
    """

    approximator: float
    rationale: float
    distance: float
    samples: int


@torch.no_grad()
def measure_fidelity(
    vibi: Vibi, black_box: BlackBox, batches: Iterable[tuple[Tensor, Tensor]]
) -> Fidelity:
    """Measure both fidelities with the k likeliest chunks shown and the others hidden.

    Args:
        vibi: Explainer and approximator; in eval mode while this runs.
        black_box: What they explain.
        batches: Inputs (B, …) and the black box's ln p on them (B, classes).

    References:
        Bang et al. 2019 (arXiv 1902.06918), section 4.2, names both; Jethani et al. 2021 (arXiv
        2103.01890) shows why the first alone proves nothing.
    """
    agreeing = [0, 0]
    distance, total = 0.0, 0
    with evaluating(vibi), black_box.frozen():
        for inputs, expected in batches:
            whole = expected.to(inputs.device)
            masked = vibi.top_k_inputs(inputs)
            approximated = vibi.approximate(masked).log_softmax(-1)
            reacted = black_box.log_probabilities(masked)
            for i, found in enumerate((approximated, reacted)):
                agreeing[i] += int((found.argmax(1) == whole.argmax(1)).sum())
            distance += float(jensen_shannon(approximated, whole).sum())
            total += len(inputs)
    return Fidelity(agreeing[0] / total, agreeing[1] / total, distance / total, total)


class evaluating:  # noqa: N801  # used as a function, like torch.no_grad
    """Put a network into eval mode for a block."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __enter__(self) -> None:
        self._training = self._network.training
        self._network.eval()

    def __exit__(self, *_: object) -> None:
        self._network.train(self._training)
