"""What the command line decides about a benchmark, beside its suite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.run.options import ComputeOptions
from input_iba.settings import setting


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(ComputeOptions):
    """Options of a benchmark, which is gone on with where it stopped."""

    out: Path | None = setting(
        None, "folder of maps, rows and tables (default: workdirs/benchmark_<suite>)", metavar="DIR"
    )
    networks: tuple[str, ...] = setting(
        (),
        "compute these networks of the suite only; the tables hold what is known of the others",
        metavar="NAME",
    )
    methods: tuple[str, ...] = setting(
        (), "of the methods of each network only these; ours must be among them", metavar="NAME"
    )
    metrics: tuple[str, ...] = setting((), "of its metrics only these", metavar="NAME")
    samples_per_batch: int | None = setting(
        None,
        "samples explained at once (default: data.data_loader.batch_size of each config)",
        at_least=1,
    )
    score_precision: str = setting(
        "fp32", "number format in which maps are scored", choices=("auto", "fp32", "bf16")
    )
