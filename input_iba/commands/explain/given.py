"""Inputs that are given on the command line: what images and texts have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from input_iba.commands.explain.options import GivenOptions
from input_iba.config.load import RunConfig, load_config
from input_iba.datasets.class_index import Classes, find_targets
from input_iba.drawing import percent
from input_iba.errors import ConfigError
from input_iba.results import RecordLog, SampleRecord

VARIATIONS = 200
"""Inputs that the statistics of the layer come from: crops of images, or parts of texts."""

AT_ONCE = 4
"""Inputs that are explained at once."""


@dataclass(frozen=True, kw_only=True)
class Given(GivenOptions, ABC):
    """Inputs without a config: what they need is made of the name of their classifier."""

    @property
    @abstractmethod
    def name(self) -> Path:
        """Return what stands for a config's file, in messages and as the work directory's name."""

    @abstractmethod
    def content(self) -> dict[str, Any]:
        """Return data and attributor as a config has them; see `config` for what is raised."""

    @abstractmethod
    def shown(self, config: RunConfig, root: Path, record: SampleRecord) -> Iterator[str]:
        """Write an overlay of one input, and yield the lines that are printed of it."""

    def config(self, overrides: Mapping[str, Any], preset: str | None) -> RunConfig:
        """Return the config of a run that explains the inputs.

        Args:
            overrides: From dotted keys to values, as `--cfg-options` gives them.
            preset: Parameters of the method; None for 'fast'.

        Raises:
            ConfigError: Model, layer or class is unknown, or an input is empty.
            DataError: An input is missing, or cannot be read as what it should be.
            CheckpointError: The weights cannot be had; says what can be done.
        """
        # Not in `content`, which would be told to count against a preset.
        options = {"estimation_cfg.n_samples": VARIATIONS, **overrides}
        return load_config(self.name, options, preset or "fast", self.content())

    def told(self, config: RunConfig, root: Path) -> str:
        """Write the overlays of a work directory, and return what is printed of its samples."""
        records = RecordLog(root / "records.jsonl").load().values()
        return "\n\n".join(
            "\n".join([*self.shown(config, root, record), f"  {record.believed[1]}"])
            if record.status == "done"
            else f"{record.id}: failed: {record.reason}"
            for record in records
        )

    def asked(self, classes: Classes | None) -> dict[str, Any]:
        """Return a config's section `attribution_cfg`: what is asked beside a class."""
        if self.instead_of is None:
            return {}
        [index] = find_targets(classes, [self.instead_of])
        return {"attribution_cfg": {"target": {"type": "ContrastTarget", "b": index}}}

    def data(self, estimation: Mapping[str, Any], attribution: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config's section `data`, the targets in it."""
        targets = [int(target) if target.isdecimal() else target for target in self.targets]
        return {
            "data_loader": {"batch_size": AT_ONCE, "shuffle": True, "num_workers": 0},
            "estimation": {**estimation, "n": VARIATIONS},
            "attribution": {**attribution, "targets": targets},
        }


def name_of_all(first: Path, count: int) -> Path:
    """Return a name for several inputs.

    >>> name_of_all(Path("cat.jpg"), 1), name_of_all(Path("cat.jpg"), 3)
    (PosixPath('cat.jpg'), PosixPath('cat_and_2_more.jpg'))
    """
    return (
        first if count == 1 else first.with_name(f"{first.stem}_and_{count - 1}_more{first.suffix}")
    )


def refuse_absent(targets: Sequence[int | None], count: int) -> None:
    """Refuse class indices that a classifier of `count` classes does not have.

    Raises:
        ConfigError: Names the first of them.
    """
    wrong = [target for target in targets if target is not None and target >= count]
    if wrong:
        raise ConfigError(f"Target {wrong[0]}: class indices go from 0 to {count - 1}.")


def class_lines(record: SampleRecord) -> Iterator[str]:
    """Yield the most probable classes of a sample, the one that was explained, and its bits."""
    rows, explained = record.classes(), record.class_name
    if record.target is None and explained:
        met = record.target_probability
        yield f"  Asked: {explained}" + ("" if met is None else f" ({percent(met)})")
    width = max((len(name) for name, _ in rows), default=0)
    for name, chance in rows:
        mark = "  <- explained" if name == explained else ""
        yield f"  {name.ljust(width)}  {100 * chance:5.1f} %{mark}"
    if record.map_bits is not None:
        warning = f"; {record.warning}" if record.warning else ""
        yield f"  Map: {record.map_bits:.3g} bits{warning}"


def overlay_path(root: Path, record: SampleRecord) -> Path:
    """Return where the overlay of a sample is written."""
    return root / f"{Path(record.map_file).stem}_overlay.png"
