"""Repeat a run from what its work directory says of it, and compare what comes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from input_iba.commands.explain.job import digest_of, selected
from input_iba.commands.explain.loop import batches_to_do
from input_iba.commands.explain.run import run_attribution
from input_iba.commands.reproduce_options import ReproduceOptions
from input_iba.config.build import build_datasets
from input_iba.config.kept import load_kept
from input_iba.config.load import RunConfig
from input_iba.config.other_method import with_baseline
from input_iba.core.correlation import spearman
from input_iba.datasets import SampleDataset
from input_iba.drawing import Grid, as_plain
from input_iba.drawing.tables import UNKNOWN
from input_iba.errors import DataError, ResumeError
from input_iba.results import OWN_METHOD, Manifest, RecordLog, SampleRecord, StoredFiles
from input_iba.results.map_files import read_map
from input_iba.run.options import RunOptions
from input_iba.run.shell import LOGGER

EQUAL, WITHIN, DIFFERS, MISSING = "equal", "within tolerance", "differs", "missing"

MAX_SHOWN = 20
"""Samples that the table names."""


@dataclass(frozen=True)
class Repeated:
    """The map of one sample, made twice.

    Attributes:
        verdict: One of the four above.
        off: Largest difference of a value, as a share of the map's largest; None where the maps
            cannot be compared.
        correlation: Spearman's, of the two maps; None likewise.
    """

    id: str
    verdict: str
    off: float | None = None
    correlation: float | None = None


@dataclass(frozen=True)
class Reproduction:
    """What came of a run that was repeated.

    Attributes:
        unlike: In what machine and packages differ from then.
        out: Work directory of the repeated run.
    """

    samples: Sequence[Repeated]
    unlike: Sequence[str]
    out: Path

    @property
    def good(self) -> bool:
        """Whether every map came again, at least within the tolerance."""
        return all(found.verdict in (EQUAL, WITHIN) for found in self.samples)

    @property
    def text(self) -> str:
        """Say what came of it, for a terminal, the worst samples first."""
        count = {v: sum(s.verdict == v for s in self.samples) for v in (EQUAL, WITHIN, DIFFERS)}
        missing = len(self.samples) - sum(count.values())
        lines = [
            f"{len(self.samples)} maps repeated: {count[EQUAL]} equal bit for bit, "
            f"{count[WITHIN]} within the tolerance, {count[DIFFERS]} differ, {missing} missing. "
            f"The repeated run: {self.out}"
        ]
        if self.unlike:
            lines.append(f"Other than then: {'; '.join(self.unlike)}.")
        shown = sorted(self.samples, key=_badness, reverse=True)[:MAX_SHOWN]
        rows = [[s.id, s.verdict, _number(s.off), _number(s.correlation)] for s in shown]
        if any(found.verdict != EQUAL for found in self.samples):
            head = ["sample", "map", "largest difference", "rank correlation"]
            lines.append(as_plain(Grid("", head, rows)).lstrip("\n"))
        return "\n".join(lines)


def _badness(found: Repeated) -> float:
    return 2.0 if found.correlation is None else 1 - found.correlation


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g}"


def reproduce(options: ReproduceOptions) -> Reproduction:
    """Explain the samples of a work directory again, elsewhere, and compare the maps.

    Classifier, data and settings are those of then, and samples are computed in the company that
    they had, so that on the same machine every bit comes again in float32.

    Raises:
        ResumeError: There is no run, or config, weights, data or samples are others than then.
        DataError: The run explained nothing.
    """
    earlier = Manifest.read(options.folder / "manifest.json")
    config = load_kept(options.folder)
    if earlier.method != OWN_METHOD:
        config = with_baseline(config, earlier.method)
    records = RecordLog(options.folder / "records.jsonl").load()
    out = options.out or options.folder.with_name(f"{options.folder.resolve().name}_reproduced")
    how = _as_then(earlier, options, out)
    identity = earlier.identity
    with TemporaryDirectory() as folder:
        if options.batches:
            _, dataset = build_datasets(config)
            ids = _of_batches(dataset, how, options.batches)
            how = replace(how, num_samples=0, subset_file=_listed(ids, Path(folder)))
            identity = replace(identity, samples=digest_of(ids))
        run_attribution(config, how, like=identity)
    again = RecordLog(out / "records.jsonl").load()
    done = [id_ for id_ in again if id_ in records and records[id_].status == "done"]
    if not done:
        raise DataError(f"Nothing that was repeated is explained in '{options.folder}'.")
    stored = StoredFiles(options.folder), StoredFiles(out)
    samples = [
        _compared(config, (stored[0], records[id_]), (stored[1], again[id_]), options.tolerance)
        for id_ in done
    ]
    return Reproduction(samples, earlier.unlike(Manifest.read(out / "manifest.json")), out)


def _as_then(earlier: Manifest, options: ReproduceOptions, out: Path) -> RunOptions:
    """Return the options of the repeated run."""
    said = earlier.options
    subset = said.get("subset_file")
    if subset is not None and not Path(subset).is_file():
        raise ResumeError(
            f"The run took its samples from --subset-file '{subset}', which is not there. Put it "
            "back, or start in the folder that the run was started in."
        )
    if earlier.samples_per_batch is None:
        LOGGER.warning("How many samples were explained at once is not known: bits may differ.")
    return RunOptions(
        work_dir=out,
        seed=earlier.identity.seed,
        precision=earlier.identity.precision if options.precision == "auto" else options.precision,
        out_style="image_folder"
        if earlier.identity.out_style == "image_folder"
        else "single_folder",
        device=options.device,
        gpu_id=options.gpu_id,
        samples_per_batch=earlier.samples_per_batch,
        subset_file=None if subset is None else Path(subset),
        num_samples=int(said.get("num_samples") or 0),
        progress_bar=options.progress_bar,
    )


def _of_batches(dataset: SampleDataset, how: RunOptions, count: int) -> list[str]:
    """Return the samples of the first batches of a run."""
    size = how.samples_per_batch if isinstance(how.samples_per_batch, int) else 1
    batches = batches_to_do(dataset, selected(dataset.ids, how), size, frozenset())[:count]
    chosen = {dataset.ids[index] for batch in batches for index in batch}
    return [id_ for id_ in dataset.ids if id_ in chosen]


def _listed(ids: Sequence[str], folder: Path) -> Path:
    """Write ids as a subset file; as JSON, for they may hold anything."""
    path = folder / "batches.json"
    path.write_text(json.dumps(ids), encoding="utf-8")
    return path


def _compared(
    config: RunConfig,
    first: tuple[StoredFiles, SampleRecord],
    second: tuple[StoredFiles, SampleRecord],
    tolerance: float,
) -> Repeated:
    """Compare the maps of a sample in two work directories."""
    dimensions = len(config.kind.map_dims)
    try:
        then, now = (read_map(files.at(one.map_file), dimensions) for files, one in (first, second))
    except DataError:
        return Repeated(first[1].id, MISSING)
    if then.shape != now.shape:
        return Repeated(first[1].id, DIFFERS)
    if torch.equal(then, now):
        return Repeated(first[1].id, EQUAL, 0.0, 1.0)
    off = float((then - now).abs().max() / then.abs().max().clamp(min=1e-12))
    correlation = float(spearman(then.flatten()[None], now.flatten()[None]))
    alike = correlation >= 1 - tolerance  # not where a constant map has none
    return Repeated(first[1].id, WITHIN if alike else DIFFERS, off, correlation)
