"""Settings of a run that commands and configs have in common, without what a model needs."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.settings import Settings, setting


@dataclass(frozen=True)
class LoaderSettings(Settings):
    """How samples are read."""

    batch_size: int = setting(1, "samples explained at once", at_least=1)
    shuffle: bool = setting(True, "draw the estimation set in random order (seeded)")
    num_workers: int = setting(
        0,
        "processes that read and preprocess; 0 reads in the run's own",
        at_least=0,
        changes_result=False,
    )


@dataclass(frozen=True)
class EstimationSettings(Settings):
    """How feature statistics are estimated."""

    n_samples: int = setting(
        1000, "number of samples, at most those of the estimation set", at_least=1
    )
    verbose: bool = setting(
        False, "accepted from published configs; progress is reported anyway", changes_result=False
    )


@dataclass(frozen=True, kw_only=True)
class AttributionKeys(Settings):
    """Keys of `attribution_cfg` beside its sections."""

    PLACE = "attribution_cfg."

    internal_batch_size: int | None = setting(
        None,
        "most rows that the classifier sees at once, which bounds memory; the same as "
        "attribution_cfg.internal_batch_size",
        at_least=1,
    )
