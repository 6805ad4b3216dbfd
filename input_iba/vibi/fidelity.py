"""How well the k chunks of an explanation stand for the whole input."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from input_iba.core.modes import frozen
from input_iba.vibi.black_box import BlackBox
from input_iba.vibi.model import Vibi, hard_top_k

CODE_GAP = 0.1
"""Share by which rationale fidelity may lie below the approximator's before it means a code."""


def agree_on_code(approximator: float, rationale: float) -> bool:
    """Return whether the two fidelities are so far apart that the explanation is a code.

    >>> agree_on_code(0.966, 0.352), agree_on_code(0.966, 0.934), agree_on_code(0.9, 0.8)
    (True, False, True)
    """
    return round(approximator - rationale, 6) >= CODE_GAP  # 0.9 - 0.8 is less than 0.1


def code_warning(approximator: float, rationale: float) -> str:
    """Return what it means that rationale fidelity lies far below the approximator's, or ''.

    References:
        Jethani et al. 2021 (arXiv 2103.01890), section 3, on explanations that encode the answer.
    """
    if not agree_on_code(approximator, rationale):
        return ""
    points = 100 * (approximator - rationale)
    return (
        f"Rationale fidelity lies {points:.1f} points below the approximator's: explainer and "
        "approximator agree on a code, in which the choice of chunks tells the class. The map must "
        "not be read as what the black box looked at. Remedy: keep the black box in the loop "
        "(--loss rationale, the default), train it with hidden chunks "
        "(--black_box_hidden_chunks 0.5), or show more chunks (--k)"
    )


def code_note(approximator: float, rationale: float) -> str:
    """Return the same as `code_warning` for the title of a figure, or ''."""
    if not agree_on_code(approximator, rationale):
        return ""
    return "NOT what the black box looked at: explainer and approximator agree on a code"


@dataclass(frozen=True)
class Fidelity:
    """Agreement with the black box on whole inputs, hard top-k masks; higher is better.

    Attributes:
        approximator: Share of inputs for which the approximator predicts from the top-k chunks
            the class that the black box predicts from everything.
        rationale: Share of inputs for which the black box itself predicts it from the top-k chunks.
        distance: Mean Jensen–Shannon distance between the approximator's distribution and the
            black box's, in [0, 1]; lower is better.
    """

    approximator: float
    rationale: float
    distance: float
    samples: int

    def text(self) -> str:
        """Return both fidelities for reading."""
        return (
            f"approximator fidelity {100 * self.approximator:.2f} %, "
            f"rationale fidelity {100 * self.rationale:.2f} %"
        )

    @property
    def warning(self) -> str:
        """What the two fidelities mean where the map is no evidence, else ''; `code_warning`."""
        return code_warning(self.approximator, self.rationale)

    @property
    def note(self) -> str:
        """The same for the title of a figure."""
        return code_note(self.approximator, self.rationale)


@dataclass(frozen=True)
class TopK:
    """What an explainer chooses of inputs, and what is predicted from that.

    Attributes:
        logits: Of the chunks (B, N).
        shown: 1 for the k likeliest chunks and 0 for the others (B, N).
        approximator: The approximator's ln p (B, classes) from the chosen chunks.
        rationale: The black box's own.
    """

    logits: Tensor
    shown: Tensor
    approximator: Tensor
    rationale: Tensor


@torch.no_grad()
def choose_top_k(vibi: Vibi, black_box: BlackBox, inputs: Tensor) -> TopK:
    """Choose the k likeliest chunks of prepared inputs (B, …), and ask both networks about them.

    Networks are in eval mode while this runs.
    """
    with frozen(vibi), black_box.frozen():
        logits = vibi.explain(inputs)
        shown = hard_top_k(logits, vibi.k)
        masked = vibi.chunks.hide(inputs, shown[:, None])
        approximated = vibi.approximate(masked).log_softmax(-1)
        return TopK(logits, shown, approximated, black_box.log_probabilities(masked))


@torch.no_grad()
def measure_fidelity(
    vibi: Vibi, black_box: BlackBox, batches: Iterable[tuple[Tensor, Tensor]]
) -> Fidelity:
    """Measure both fidelities with the k likeliest chunks shown and the others hidden.

    Args:
        vibi: In eval mode while this runs.
        black_box: What it explains.
        batches: Inputs (B, …) and the black box's ln p on them (B, classes).

    References:
        Bang et al. 2019 (arXiv 1902.06918), section 4.2, names both; Jethani et al. 2021 (arXiv
        2103.01890) shows why the first alone proves nothing.
    """
    approximator = rationale = total = 0
    distance = 0.0
    with black_box.frozen():  # while batches are prepared as well
        for inputs, expected in batches:
            whole = expected.to(inputs.device)
            found = choose_top_k(vibi, black_box, inputs)
            approximator += int((found.approximator.argmax(1) == whole.argmax(1)).sum())
            rationale += int((found.rationale.argmax(1) == whole.argmax(1)).sum())
            distance += float(jensen_shannon(found.approximator, whole).sum())
            total += len(inputs)
    return Fidelity(approximator / total, rationale / total, distance / total, total)


def jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return the Jensen–Shannon distance of ln p and ln q (B, classes) per row (B,), in [0, 1].

    It is the square root of the divergence in bits.
    """
    p, q = log_p.float().exp(), log_q.float().exp()
    log_m = ((p + q) / 2).clamp_min(1e-38).log()
    divergence = (p * (log_p.float().clamp_min(-87.0) - log_m)).sum(-1) / 2
    divergence = divergence + (q * (log_q.float().clamp_min(-87.0) - log_m)).sum(-1) / 2
    return (divergence / math.log(2)).clamp(0.0, 1.0).sqrt()
