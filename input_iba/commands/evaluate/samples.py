"""Which samples an evaluation is about, and what is known of them beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from input_iba.core.files import Readable, read_json
from input_iba.datasets.ids import draw_ids
from input_iba.errors import DataError, EvaluationError
from input_iba.results import Entry
from input_iba.results.map_files import ties_by_rounding
from input_iba.results.shards import Member
from input_iba.run.shell import LOGGER


@dataclass(frozen=True)
class Selection:
    """Which of the `total` samples are scored, in their order, and which have no map."""

    ids: Sequence[str]
    missing: Sequence[str]
    total: int


def select(
    ids: Sequence[str],
    maps: Mapping[str, Readable] | None,
    num_samples: int = 0,
    seed: int = 0,
    allow_missing: bool = False,
) -> Selection:
    """Choose the samples to score.

    Args:
        ids: All ids of the data set.
        maps: From id to map; None where no maps are needed.
        num_samples: How many to draw at random; 0 takes all.
        seed: Seeds the draw, which a missing map does not change for the other samples.
        allow_missing: Whether samples may lack a map.

    Raises:
        EvaluationError: There are no maps, or some are missing and may not be.
    """
    missing = [] if maps is None else [id_ for id_ in ids if id_ not in maps]
    none = len(missing) == len(ids)
    if missing and (none or not allow_missing):
        remedy = "Explain them, or leave them out with --allow-missing."
        raise EvaluationError(
            f"{len(missing)} of {len(ids)} samples have no map (npz, npy or png, named by the "
            f"sample): {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}. "
            f"{'Check HEATMAP_DIR and the config.' if none else remedy}"
        )
    chosen = draw_ids(ids, num_samples or len(ids), seed, set(ids) - set(missing))
    return Selection(chosen, missing, len(ids))


def warn_of_ties(paths: Sequence[Readable]) -> None:
    """Warn when maps are of a format in which pixels of unlike heat become equal."""
    rounded = sum(map(ties_by_rounding, paths))
    if rounded:
        LOGGER.warning(
            "%d of %d maps are 8-bit PNG files: with at most 256 values, ranks tie and scores "
            "shift. Prefer npz or npy maps.",
            rounded,
            len(paths),
        )


def tied_maps(entries: Iterable[Entry]) -> int:
    """Return how many scored maps give one value to more than half of their pixels or words."""
    return sum(bool(entry.row.get("tied")) for entry in entries if entry.status == "scored")


def warn_of_tied_maps(tied: int, scored: int, method: str = "") -> None:
    """Warn how many of the scored maps leave their order to a draw."""
    if tied:
        LOGGER.warning(
            "%s%d of %d scored maps give one value to more than half of their pixels or words, "
            "whose order is then drawn: part of the score is chance.",
            f"{method}: " if method else "",
            tied,
            scored,
        )


def read_scores(path: Path) -> dict[str, float]:
    """Read target probabilities by sample id, as `get_target_scores.py` writes them.

    Raises:
        DataError: The file is absent, or holds something else.
    """
    try:
        content = read_json(path)
        rows = content.get("rows", content)
        found = {id_: float(row["pred"]) for id_, row in rows.items()}
        if wrong := [id_ for id_, value in found.items() if not math.isfinite(value)]:
            raise ValueError(f"the score of {wrong[0]!r} is not a finite number")
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"Target scores '{path}' cannot be used: {type(error).__name__}: {error}. Expected "
            "JSON as get_target_scores.py writes it: {name: {target, pred}}."
        ) from error


def stamp(path: Readable | None) -> str:
    """Return what changes when a map is written again; empty without a map."""
    if isinstance(path, Path):
        status = path.stat()
        return f"{status.st_size}/{status.st_mtime_ns}"
    return path.stamp if isinstance(path, Member) else ""
