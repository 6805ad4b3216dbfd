"""Explain new images or texts with a trained explainer: one pass each, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from input_iba.datasets.ids import unique_ids
from input_iba.errors import DataError
from input_iba.records import Failure
from input_iba.results import file_names
from input_iba.run.shell import chosen
from input_iba.vibi.commands.options import ExplainVibiOptions
from input_iba.vibi.commands.prepared import LoadedVibi, load_vibi
from input_iba.vibi.fidelity import choose_top_k, code_note, code_warning

Result = TypeVar("Result")


@dataclass(frozen=True)
class ChunkExplanation:
    """What was found about one input; classes come with their probability.

    Attributes:
        id: Name of its files, without extension.
        milliseconds: From the input in memory to its map.
        black_box: What the black box says of the whole input.
        approximator: What the approximator says of the chosen chunks; so does the black box in
            `rationale`.
        warning: What the explainer's two fidelities mean where its maps are no evidence, else ''.
    """

    id: str
    milliseconds: float
    black_box: tuple[str, float]
    approximator: tuple[str, float]
    rationale: tuple[str, float]
    files: tuple[Path, ...]
    warning: str = ""


def explain_files(
    options: ExplainVibiOptions, paths: Sequence[Path]
) -> Iterator[ChunkExplanation | Failure]:
    """Explain images, or text files, one by one; what cannot be read becomes a failure.

    Raises:
        ConfigError: The device is not there.
        CheckpointError: A checkpoint cannot be used.
        DataError: The reviews that a text explainer's vocabulary was built from are not there.
    """
    loaded = load_vibi(options.checkpoint, chosen(options), options.black_box)
    ids = unique_ids([(path.parent.name, path.name) for path in paths])
    names = file_names(ids)
    out = options.out or options.checkpoint.parent / "explanations"
    warm = False
    for path, id_ in zip(paths, ids, strict=True):
        try:
            opened = loaded.kind.open(path)
        except DataError as error:
            yield Failure(str(path), str(error))
            continue
        yield _explain(loaded, opened, out / names[id_], warm)
        warm = True


@torch.no_grad()
def _explain(loaded: LoadedVibi, opened: Any, place: Path, warm: bool) -> ChunkExplanation:
    """Explain what was read, and write its files beside `place`."""
    kind, networks, names = loaded.kind, loaded.networks, loaded.class_names
    inputs = kind.inputs(networks, opened)

    def look() -> Tensor:
        return kind.heat(networks, inputs, networks.vibi.explain(inputs))

    if not warm:  # the first pass builds kernels; it would be counted as the first input's time
        look()
    _, milliseconds = timed(look, inputs.device)
    found = choose_top_k(networks.vibi, networks.black_box, inputs)
    with networks.black_box.frozen():
        whole = networks.black_box.log_probabilities(inputs)[0].exp().cpu()
    note, warning = code_note(*loaded.fidelities), code_warning(*loaded.fidelities)
    files = kind.write(networks, opened, found, whole, names, place, note)
    answers = (whole, found.approximator[0].exp().cpu(), found.rationale[0].exp().cpu())
    told, approximated, reacted = (_likeliest(answer, names) for answer in answers)
    return ChunkExplanation(place.name, milliseconds, told, approximated, reacted, files, warning)


def timed(work: Callable[[], Result], device: torch.device) -> tuple[Result, float]:
    """Return what some work returns, and its milliseconds."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return result, 1000 * (time.perf_counter() - began)


def _likeliest(probabilities: Tensor, class_names: Sequence[str]) -> tuple[str, float]:
    index = int(probabilities.argmax())
    return class_names[index], float(probabilities[index])
