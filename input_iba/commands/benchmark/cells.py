"""What scores say: ranks, who is level with the best, and where our method loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from input_iba.evaluation import Summary, holm, paired_difference, sign_flip_p, summarise

SIGNIFICANT = 0.05
"""Level of the tests, after Holm's correction over the methods of a cell."""


@dataclass(frozen=True)
class Cell:
    """One key of one metric on one network, for all methods on the same samples.

    Attributes:
        higher: Whether more is better; None where neither is, so that nobody leads.
        scores: From method and sample id to score.
    """

    network: str
    metric: str
    key: str
    higher: bool | None
    scores: Mapping[str, Mapping[str, float]]

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(next(iter(self.scores.values())))

    @cached_property
    def summaries(self) -> dict[str, Summary]:
        """Mean of each method, with its 95 % bootstrap interval."""
        return {name: summarise(list(found.values())) for name, found in self.scores.items()}

    @cached_property
    def goodness(self) -> dict[str, float]:
        """Mean of each method, turned so that more is better; empty without a direction."""
        if self.higher is None:
            return {}
        sign = 1 if self.higher else -1
        return {name: sign * fmean(found.values()) for name, found in self.scores.items()}

    @cached_property
    def ranks(self) -> dict[str, float]:
        """Rank of each method, 1 for the best; equal means share the mean of their ranks."""
        values = list(self.goodness.values())
        return {
            name: 1 + sum(v > own for v in values) + (values.count(own) - 1) / 2
            for name, own in self.goodness.items()
        }

    @cached_property
    def best(self) -> str | None:
        """The method with the best mean; None without a direction."""
        return max(self.goodness, key=self.goodness.__getitem__, default=None)

    @cached_property
    def level(self) -> frozenset[str]:
        """The best method, and those that are not significantly worse."""
        if self.best is None:
            return frozenset()
        p_values = self.p_against(self.best)
        return frozenset(name for name in self.scores if p_values.get(name, 1) >= SIGNIFICANT)

    def p_against(self, reference: str) -> dict[str, float]:
        """Return the p-value of each other method: sign-flip test, paired, corrected by Holm."""
        others = [name for name in self.scores if name != reference]
        found = [sign_flip_p(self._differences(name, reference)) for name in others]
        return dict(zip(others, holm(found), strict=True))

    def _differences(self, name: str, reference: str) -> list[float]:
        own, other = self.scores[name], self.scores[reference]
        return [own[id_] - other[id_] for id_ in other]

    def sentence(self, ours: str) -> str | None:
        """Return how our method stands to the best in a sentence; None where it is the best."""
        if self.best is None or self.ranks[ours] == min(self.ranks.values()):
            return None
        p, means = self.p_against(self.best)[ours], self.summaries
        difference = paired_difference(
            list(self.scores[ours].values()), [self.scores[self.best][i] for i in self.scores[ours]]
        )
        verdict = "is level with" if ours in self.level else "is significantly worse than"
        interval = (
            "" if difference.low is None else f", {difference.low:+.3f} to {difference.high:+.3f}"
        )
        return (
            f"{self.network}, {self.metric} {self.key}: {ours} ({means[ours].mean:.3f}, rank "
            f"{self.ranks[ours]:g} of {len(self.ranks)}) {verdict} {self.best} "
            f"({means[self.best].mean:.3f}): difference {difference.mean:+.3f}{interval}, "
            f"p {p_text(p)}, n = {self.n}."
        )


def p_text(p: float) -> str:
    """Return a p-value for reading.

    >>> p_text(0.0001), p_text(0.25)
    ('< 0.001', '= 0.250')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def mean_ranks(cells: Iterable[Cell]) -> dict[str, tuple[float, int]]:
    """Return each method's mean rank over the cells that rank it, and their number."""
    ranks: dict[str, list[float]] = {}
    for cell in cells:
        for name, rank in cell.ranks.items():
            ranks.setdefault(name, []).append(rank)
    return {name: (fmean(found), len(found)) for name, found in ranks.items()}


def level_cells(cells: Iterable[Cell], name: str) -> tuple[int, int]:
    """Return in how many cells a method is best or level with the best, and of how many."""
    ranked = [cell for cell in cells if name in cell.ranks]
    return sum(name in cell.level for cell in ranked), len(ranked)


def lost(cells: Sequence[Cell], ours: str, level: bool) -> Iterator[str]:
    """Yield a sentence for each cell that another method leads, significantly or `level`."""
    for cell in cells:
        sentence = cell.sentence(ours) if ours in cell.ranks else None
        if sentence is not None and (ours in cell.level) is level:
            yield sentence
