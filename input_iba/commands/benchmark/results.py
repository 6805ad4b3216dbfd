"""What is known of one network, kept as a file, so that tables need nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from input_iba.commands.benchmark.cells import Cell
from input_iba.commands.benchmark.maps import read_passes
from input_iba.commands.benchmark.suite import Network
from input_iba.commands.compare.cards import drawn_cards
from input_iba.commands.compare.compared import Compared
from input_iba.commands.compare.methods import Method
from input_iba.core.files import read_json
from input_iba.drawing import Shown
from input_iba.report.comparison_page import Card
from input_iba.results import write_json
from input_iba.results.checked import checked

FILE = "result.json"


@dataclass(frozen=True)
class Cost:
    """What a map cost on average: rows through the classifier, and seconds; None for unknown."""

    forward: float | None
    backward: float | None
    seconds: float | None


@dataclass(frozen=True)
class NetworkResult:
    """The scores of a network's methods, as far as they are known.

    Attributes:
        ours: The method that the others are compared with.
        state: How far it got, in a sentence.
        notes: What was left out, or failed, and why.
        wanted: Names of the methods and metrics that it was to have.
    """

    name: str
    ours: str
    complete: bool
    state: str
    notes: Sequence[str]
    wanted: Sequence[str]
    cells: Sequence[Cell]
    costs: Mapping[str, Cost]
    cards: Sequence[Card]

    def write(self, root: Path) -> None:
        """Keep the result in a network's folder."""
        write_json(root / FILE, asdict(self))

    @classmethod
    def read(cls, root: Path) -> NetworkResult | None:
        """Return what a network's folder holds, None where that is no result."""
        try:
            values: dict[str, Any] = read_json(root / FILE)
            values["cells"] = [checked(Cell, cell) for cell in values["cells"]]
            values["costs"] = {k: checked(Cost, cost) for k, cost in values["costs"].items()}
            values["cards"] = [_card(card) for card in values["cards"]]
            return cls(**values)
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return None


def wanted(network: Network) -> list[str]:
    """Return the names of a network's methods and metrics."""
    return [m.name for m in network.methods] + [m.metric.name for m in network.measures]


def result_of(network: Network, compared: Compared, failures: Sequence[str]) -> NetworkResult:
    """Return what a comparison, which may have been interrupted, and the runs before it say."""
    cards, _ = drawn_cards(compared, network.keys.examples, overlaid=True)
    return NetworkResult(
        name=network.name,
        ours=network.ours,
        complete=compared.complete and not failures,
        state=compared.state,
        notes=[*failures, *compared.left_out()],
        wanted=wanted(network),
        cells=list(_cells(network, compared)),
        costs={method.name: _cost(method, compared.selection.ids) for method in compared.methods},
        cards=cards,
    )


def _cells(network: Network, compared: Compared) -> Iterator[Cell]:
    for measure in network.measures:
        metric = measure.metric
        for key, scores in compared.scores(metric):
            if all(scores.values()) and (measure.keys is None or key in measure.keys):
                higher = metric.higher_is_better[key]
                yield Cell(network.name, metric.name, key, higher, scores)


def _cost(method: Method, ids: Sequence[str]) -> Cost:
    """Return what the maps of a method cost; the passes of a stage alone are not known."""
    seconds = [s for s in map(method.seconds, ids) if s is not None]
    passes, whole = read_passes(method.root), method.folder.name != "feat_masks"
    counted = passes.samples > 0 and whole
    return Cost(
        passes.forward / passes.samples if counted else None,
        passes.backward / passes.samples if counted else None,
        fmean(seconds) if seconds else None,
    )


def _card(values: Mapping[str, Any]) -> Card:
    images = [(caption, address) for caption, address in values["images"]]
    texts = [(caption, *_text(Shown(**shown), mask)) for caption, shown, mask in values["texts"]]
    return Card(values["id"], values["class_name"], images, texts)


def _text(shown: Shown, mask: Sequence[float]) -> tuple[Shown, list[float]]:
    """Return words and their values, once they are as many."""
    if len(mask) != len(shown.words):
        raise ValueError(f"{len(mask)} values of {len(shown.words)} words")
    return shown, [float(value) for value in mask]
