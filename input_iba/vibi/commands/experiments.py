"""Run many settings of VIBI one after the other, and put what came out into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from input_iba.drawing import Grid, as_markdown
from input_iba.errors import ConfigError, InputIBAError
from input_iba.results import write_json, write_text
from input_iba.run.shell import LOGGER
from input_iba.vibi.commands.config import VibiConfig, load_vibi_config
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.prepared import read_checkpoint
from input_iba.vibi.commands.run import WORK_DIRS, run_vibi

COLLAPSED = 0.1
"""Share of the way from guessing to always right below which an approximator has collapsed."""

SETTING = ("setting", "seed", "k", "β")
FOUND = ("black box", "approximator", "rationale", "JS distance", "KL", "epoch", "seconds")
HEAD = (*SETTING, *FOUND, "collapsed")


@dataclass(frozen=True)
class ExperimentRow:
    """What came out of one setting with one seed.

    Attributes:
        approximator: Approximator fidelity on the test set, in [0, 1]; so is `rationale`.
        distance: Mean Jensen–Shannon distance of approximator and black box on the test set.
        kl: KL[p(z|x) ‖ uniform] in nats, mean over the epoch that the weights come from.
        failure: Why there is no result; empty where there is one.
    """

    setting: str
    seed: int
    k: int = 0
    beta: float = 0.0
    approximator: float = 0.0
    rationale: float = 0.0
    distance: float = 0.0
    kl: float = 0.0
    epoch: int = 0
    black_box_accuracy: float = 0.0
    seconds: float = 0.0
    classes: int = 2
    failure: str = ""

    @property
    def collapsed(self) -> bool:
        """Whether the approximator hardly does better than guessing.

        >>> [ExperimentRow("a", 0, approximator=f, classes=10).collapsed for f in (0.1, 0.3)]
        [True, False]
        """
        guessing = 1 / self.classes
        return self.approximator < guessing + COLLAPSED * (1 - guessing)


def run_experiments(
    paths: Sequence[Path],
    seeds: Sequence[int],
    overrides: Mapping[str, Any],
    options: VibiOptions,
    out: Path,
) -> list[ExperimentRow]:
    """Run every config with every seed; go on with what was stopped and skip what is finished.

    A setting that fails is reported and the others are run. The table is written anew after each.

    Args:
        paths: Config files.
        seeds: Each setting is run once with each.
        overrides: From dotted keys to values, for all of them.
        options: Its `work_dir` holds the work directories of all settings.
        out: Folder of `experiments.md` and `experiments.json`.

    Raises:
        ConfigError: A config is wrong; before anything is run.
    """
    configs = [load_vibi_config(path, overrides) for path in paths]
    if not configs:
        raise ConfigError("No config to run. Name some, or put some into configs/vibi/.")
    rows: list[ExperimentRow] = []
    for config in configs:
        for seed in seeds:
            place = (options.work_dir or WORK_DIRS) / work_dir_name(config.name, seed)
            LOGGER.info("%s, seed %d: '%s'", config.name, seed, place)
            one = replace(options, work_dir=place, seed=seed, resume=True)
            rows.append(_row(config, one))
            write_table(rows, len(configs) * len(seeds), out)
    return rows


def work_dir_name(setting: str, seed: int) -> str:
    """Return the work directory's name: that of `train.py` for seed 0.

    >>> work_dir_name("mnist_unet", 0), work_dir_name("mnist_unet", 2)
    ('mnist_unet', 'mnist_unet_seed2')
    """
    return f"{setting}_seed{seed}" if seed else setting


def _row(config: VibiConfig, options: VibiOptions) -> ExperimentRow:
    try:
        result = run_vibi(config, options)
        best = read_checkpoint(result.work_dir / "best.pth")
    except Exception as error:  # one setting must not take the others with it
        reason = str(error)
        if not isinstance(error, InputIBAError):
            reason = f"{type(error).__name__}: {reason}"
            LOGGER.exception("%s, seed %d failed", config.name, options.seed)
        LOGGER.error("%s, seed %d failed: %s", config.name, options.seed, reason)
        return ExperimentRow(config.name, options.seed, failure=reason)
    return ExperimentRow(
        setting=config.name,
        seed=options.seed,
        k=config.explainer.k,
        beta=config.training.beta,
        approximator=result.test.approximator,
        rationale=result.test.rationale,
        distance=result.test.distance,
        kl=float(best["metrics"]["kl"]),
        epoch=int(best["epoch"]),
        black_box_accuracy=result.black_box_accuracy,
        seconds=result.seconds,
        classes=len(best["class_names"]),
    )


def write_table(rows: Sequence[ExperimentRow], planned: int, out: Path) -> None:
    """Write `experiments.md` and `experiments.json` of what is done of what is planned."""
    content = {
        "complete": len(rows) == planned and not any(row.failure for row in rows),
        "planned": planned,
        "rows": [{**asdict(row), "collapsed": row.collapsed} for row in rows],
    }
    write_json(out / "experiments.json", content)
    write_text(out / "experiments.md", as_markdown(table(rows, planned)) + "\n")


def table(rows: Sequence[ExperimentRow], planned: int) -> Grid:
    """Return what came out as a table, with the means of settings that have several seeds."""
    cells: list[Sequence[str]] = []
    for setting in dict.fromkeys(row.setting for row in rows):
        own = [row for row in rows if row.setting == setting]
        cells += [_cells(row, str(row.seed)) for row in own]
        done = [row for row in own if not row.failure]
        if len(done) > 1:
            collapsed = "yes" if any(row.collapsed for row in done) else "no"
            cells.append([*_cells(_mean(done), f"mean of {len(done)}")[:-1], collapsed])
    note = (
        "Fidelities, agreement with the black box on whole inputs, are those of the test set with "
        "the k likeliest chunks shown; KL is that of the training epoch whose weights were kept. "
        f"Collapsed: less than {COLLAPSED:.0%} of the way from guessing to full agreement."
    )
    failures = [
        f"{row.setting}, seed {row.seed} failed: {row.failure}" for row in rows if row.failure
    ]
    if len(rows) < planned:
        failures.append(f"Partial: {len(rows)} of {planned} runs.")
    return Grid("VIBI experiments", HEAD, cells, note=" ".join([note, *failures]))


def _cells(row: ExperimentRow, seed: str) -> Sequence[str]:
    if row.failure:
        return [row.setting, seed, *["–"] * (len(HEAD) - 3), "failed"]
    shares = (row.black_box_accuracy, row.approximator, row.rationale)
    return [
        row.setting,
        seed,
        str(row.k),
        f"{row.beta:g}",
        *(f"{100 * share:.2f} %" for share in shares),
        f"{row.distance:.3f}",
        f"{row.kl:.3f}",
        str(row.epoch),
        f"{row.seconds:.0f}",
        "yes" if row.collapsed else "no",
    ]


def _mean(rows: Sequence[ExperimentRow]) -> ExperimentRow:
    names = ("approximator", "rationale", "distance", "kl", "black_box_accuracy", "seconds")
    means = {name: sum(getattr(row, name) for row in rows) / len(rows) for name in names}
    return replace(rows[0], **means, epoch=round(sum(row.epoch for row in rows) / len(rows)))
