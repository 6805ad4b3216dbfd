"""Maximum sensitivity: how far a map moves, at most, when its input moves a little."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from input_iba.errors import EvaluationError
from input_iba.evaluation.base import EvaluationContext, Row, Score, ScoredSample
from input_iba.evaluation.repeatability import RepeatingMetric
from input_iba.settings import setting

if TYPE_CHECKING:
    from torch import Tensor

    from input_iba.drawing import Chart

RADIUS = 0.1
DRAWS = 10


def relative_changes(
    explain: Callable[[Tensor], Tensor],
    x: Tensor,
    radius: float = RADIUS,
    n_samples: int = DRAWS,
    seed: int = 0,
) -> Tensor:
    """Return ‖h(x + δ) − h(x)‖ / ‖h(x)‖ for each draw of δ, (n_samples,), float64, on the CPU.

    Their maximum is the maximum sensitivity; lower is better. Where it is 0 the map does not
    depend on the input at all.

    Args:
        explain: Maps an input to its map h; it must draw the same random numbers in every call.
        x: The input, of any shape.
        radius: Every value of δ is uniform in [−radius, radius].
        n_samples: How often δ is drawn.
        seed: Seeds the draws.

    Raises:
        EvaluationError: The map of the unchanged input is 0 everywhere, or a number is out of its
            range.

    References:
        Yeh et al. 2019, "On the (in)fidelity and sensitivity of explanations" (arXiv 1901.09392),
        definition 2.4, relative to the map as section 5 measures it.
    """
    import torch

    if radius <= 0 or n_samples < 1:
        raise EvaluationError(
            f"Maximum sensitivity needs a radius > 0 and n_samples ≥ 1; got {radius!r} and "
            f"{n_samples!r}."
        )
    before = explain(x).detach().cpu().double()
    length = before.norm()
    if not length > 0:
        raise EvaluationError(
            "The map of the unchanged input is 0 everywhere, so no change is large or small beside "
            "it. Leave the sample out."
        )
    draws, changes = torch.Generator().manual_seed(seed), []
    for _ in range(n_samples):
        shift = (2 * torch.rand(x.shape, generator=draws) - 1) * radius
        after = explain(x + shift.to(x)).detach().cpu().double()
        changes.append((after - before).norm() / length)
    return torch.stack(changes)


@dataclass(frozen=True)
class MaxSensitivityMetric(RepeatingMetric):
    """Largest relative change of the map over small changes of the input."""

    name: ClassVar = "max_sensitivity"
    description: ClassVar = (
        "Explain again with inputs changed a little, and measure how far maps move at most."
    )
    higher_is_better: ClassVar = {"max_sensitivity": False, "mean_sensitivity": False}

    radius: float = setting(RADIUS, "largest change of a value of the normalised input", above=0)
    n_draws: int = setting(DRAWS, "changed inputs of each sample", at_least=1)

    def scorer(self, context: EvaluationContext) -> Score:
        """Return the function that scores a sample."""
        from input_iba.evaluation.explain_again import repeated

        again = repeated(context, self.mask, self.n_estimation, self.method)

        def score(case: ScoredSample) -> Row:
            seed = zlib.crc32(f"{context.seed}/{case.sample.id}".encode())
            found = relative_changes(
                lambda x: again(case, x, context.seed),
                case.sample.input,
                self.radius,
                self.n_draws,
                seed,
            )
            return {"max_sensitivity": found.max().item(), "mean_sensitivity": found.mean().item()}

        return score

    def chart(self, rows: Sequence[Row]) -> Chart:
        """Return the share of the samples that reaches each change."""
        from input_iba.drawing import Chart, share_line

        lines = [
            share_line(
                f"{name} of {self.n_draws} draws", [row[f"{key}_sensitivity"] for row in rows]
            )
            for name, key in (("maximum", "max"), ("mean", "mean"))
        ]
        title = f"Sensitivity within {self.radius:g}, {len(rows)} samples"
        return Chart(
            title, "relative change, lower is better", "share of samples at least so high", lines
        )
