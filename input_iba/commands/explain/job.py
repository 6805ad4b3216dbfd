"""What a run of `attribute` explains: built and checked before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from input_iba.config.load import RunConfig
from input_iba.core.fitting import fitting_samples
from input_iba.core.processor import processor
from input_iba.core.remote import check as check_address
from input_iba.datasets.ids import draw_ids, select_ids
from input_iba.datasets.loading import first_shape
from input_iba.errors import ConfigError, ResumeError
from input_iba.results import OWN_METHOD, Identity, Manifest, WorkDir, differences, refuse_changes
from input_iba.results.packing import Packer
from input_iba.run.options import RunOptions
from input_iba.run.prepared_run import PreparedRun, prepare
from input_iba.run.shell import LOGGER, Run

SamplesPerBatch = int | Literal["auto"]


@dataclass(frozen=True)
class Job:
    """What a run explains, and where it goes; the first process decides the last four for all.

    Attributes:
        ids: The samples selected.
        identity: What must stay the same for the masks to.
        size: Samples explained at once: one number for all processes, whatever memory each has,
            because what is computed together decides rounding.
        manifest: Of the work directory, as it was claimed.
        finished: Ids of samples that an earlier run has explained.
        loose: Those of them whose files are not in a shard though they are to be.
    """

    run: Run
    options: RunOptions
    work: WorkDir
    ready: PreparedRun
    ids: Sequence[str]
    identity: Identity
    size: int
    manifest: Manifest
    finished: frozenset[str]
    loose: Sequence[str]

    def packer(self) -> Packer | None:
        """Return what packs the files of finished samples, which it takes up; None for none."""
        options, rank = self.options, self.run.processes.rank
        if options.store == "folder":
            return None
        size = options.samples_per_shard
        packer = Packer(self.work.root, self.manifest, options.store_at, size, rank)
        if self.run.processes.is_main:
            packer.take_up(self.work.records.scan(self.loose))
        return packer


def begin(
    config: RunConfig, options: RunOptions, work: WorkDir, run: Run, like: Identity | None = None
) -> Job:
    """Build and check all that a run needs, and then claim the work directory.

    `like` is what the run is to have in common with one that is repeated.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what. Nothing is written.
    """
    with run.processes.together():
        work.check_config(config.digest(), config.text())
        if options.store_at is not None:
            check_address(options.store_at)
        ready, ids, identity = prepared(config, options, run)
        if like is not None:
            what = "The run that is repeated was made otherwise, and"
            refuse_changes(what, like.plain(), identity.plain(), "explain the samples anew")
    identities = run.processes.all_gather(identity)
    with run.processes.together():
        for rank, other in enumerate(identities):
            check_alike(identities[0], other, f"Process {rank}", "process 0")

    def claim() -> tuple[int, Manifest, frozenset[str], Sequence[str]]:
        size = _samples_per_batch(options, work, ready, ids, run)
        method = ready.config.baseline
        manifest = Manifest(
            identity=identity,
            config_file=str(config.path),
            layer=config.layer if method is None else method.layer_name,
            method=OWN_METHOD if method is None else method.name,
            device=run.where,
            options=options.as_plain(),
            samples=len(ids),
            samples_per_batch=size,
            processor=processor(),
        )
        if work.resumed and (unlike := Manifest.read(work.manifest_path).unlike(manifest)):
            LOGGER.warning(
                "Masks that are finished were made on another machine or with other packages, "
                "which may round otherwise: %s. `input-iba reproduce` says by how much masks "
                "differ.",
                "; ".join(unlike),
            )
        claimed = work.claim(manifest, ready.config.text())
        finished, loose = work.survey()
        left = loose if options.store == "shards" else []
        return size, claimed, frozenset(finished), left

    return Job(run, options, work, ready, ids, identity, *run.processes.from_main(claim))


def prepared(
    config: RunConfig, options: RunOptions, run: Run
) -> tuple[PreparedRun, list[str], Identity]:
    """Return what is explained, which samples of it, and what must stay the same.

    Raises:
        InputIBAError: Something is wrong or missing; the message says what.
    """
    ready = prepare(config, run, explained=True)
    ids = selected(ready.dataset.ids, options)
    identity = Identity(
        config=config.digest(),
        **ready.fingerprints(),
        estimation_data=ready.estimation_set.fingerprint(),
        samples=digest_of(ids),
        seed=options.seed,
        precision=run.precision,
        out_style=options.out_style,
    )
    return ready, ids, identity


def selected(ids: Sequence[str], options: RunOptions) -> list[str]:
    """Return which of a data set's samples are explained, in its order.

    Raises:
        DataError: The subset file is absent, or names something that is not there.
    """
    chosen = list(ids)
    if options.subset_file is not None:
        chosen = select_ids(chosen, options.subset_file)
    if options.num_samples:
        chosen = draw_ids(chosen, options.num_samples, options.seed)
    return chosen


def digest_of(ids: Sequence[str]) -> str:
    """Return the hash of a selection of samples, as identities have it."""
    return hashlib.sha256("\n".join(ids).encode("utf-8", "surrogatepass")).hexdigest()


def check_alike(first: Identity, other: Identity, who: str, first_one: str) -> None:
    """Refuse a process that would make unlike masks, on a machine with other files say.

    `who` it is, and `first_one`, are names for the message.

    Raises:
        ConfigError: Says in what they differ.
    """
    different = differences(first.plain(), other.plain())
    if different:
        raise ConfigError(
            f"{who} would not make the masks that {first_one} makes ('was' is {first_one}, 'now' "
            "the other):\n  " + "\n  ".join(different) + "\nLet all machines see the same files, "
            "and give what 'auto' decides, e.g. --precision fp32."
        )


def _samples_per_batch(
    options: RunOptions, work: WorkDir, ready: PreparedRun, ids: Sequence[str], run: Run
) -> int:
    config = ready.config

    def fitting() -> int:
        most = -(-len(ids) // run.processes.world_size)  # so that every process gets a batch
        shape = first_shape(ready.dataset, ids)
        if shape is None:
            return 1
        return fitting_samples(shape, config.draws_per_sample, run.device, most)

    earlier = Manifest.read(work.manifest_path).samples_per_batch if work.resumed else None
    configured = config.loader.batch_size
    return choose_samples_per_batch(options.samples_per_batch, configured, earlier, fitting)


def choose_samples_per_batch(
    wanted: SamplesPerBatch | None, configured: int, earlier: int | None, fitting: Callable[[], int]
) -> int:
    """Return how many samples are explained at once.

    Args:
        wanted: What the command line asks for.
        configured: `data.data_loader.batch_size`.
        earlier: What the run that is continued was cut into, if one is: its samples are to be
            computed in the company that they had.
        fitting: Returns how many samples are likely to fit.

    Raises:
        ConfigError: `wanted` is not a number of samples.
        ResumeError: `wanted` is another number than that of the run to be continued.
    """
    if wanted not in (None, "auto") and (type(wanted) is not int or wanted < 1):
        raise ConfigError(f"--samples-per-batch must be 1 or more, or 'auto', got {wanted!r}.")
    if earlier is None:
        return fitting() if wanted == "auto" else wanted or configured
    if wanted not in (None, "auto", earlier):
        raise ResumeError(
            f"--samples-per-batch: was {earlier}, now {wanted}, and a continued run is to give the "
            "masks of an uninterrupted one. Leave the option out (memory that does not suffice "
            "is met with smaller batches anyway), or choose another --work-dir."
        )
    return earlier
