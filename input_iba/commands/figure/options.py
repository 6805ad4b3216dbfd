"""What the command line decides about a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from input_iba.settings import REQUIRED, Settings, setting

KINDS = {
    "overlay": "overlay, smoothed",
    "map": "map (bits per pixel)",
    "feature_mask": "feature mask",
    "prior_mask": "prior",
    "input_mask": "input mask",
}
"""What a column can show of a method, and how it is called."""


@dataclass(frozen=True, kw_only=True)
class FigureOptions(Settings):
    """Options of all figures."""

    PLACE = "--"

    out: Path = setting(
        REQUIRED, "the figure; its ending says the format: .png, .pdf, .svg or .jpg"
    )
    names: tuple[str, ...] | None = setting(
        None, "names of the methods, in the same order (default: those of folders or files)"
    )


@dataclass(frozen=True, kw_only=True)
class GridOptions(FigureOptions):
    """What a grid shows."""

    work_dirs: tuple[Path, ...] = setting(
        REQUIRED,
        "work directories of runs, or folders of masks in them, such as .../feat_masks",
        flag="WORK_DIR",
    )
    samples: tuple[str, ...] = setting((), "samples, in the order of the lines", metavar="ID")
    num_samples: int = setting(12, "how many samples, where none are named", at_least=0)
    show: tuple[str, ...] = setting(
        (),
        f"any of {', '.join(KINDS)} (default: overlay, feature_mask and input_mask of one work "
        "directory, the map of each of several, or its input_mask where it has no other)",
        choices=KINDS,
        metavar="KIND",
    )
    colour_map: str | None = setting(
        None,
        "colour map of matplotlib's, e.g. viridis, or the published bwr (default: inferno, which "
        "is perceptually uniform; of signed maps coolwarm, with 0 in its middle)",
        flag="--cmap",
        metavar="NAME",
    )
    inches: float = setting(2.0, "side of an image", above=0)
    dots_per_inch: int = setting(110, "dots per inch of images", flag="--dpi", at_least=1)


@dataclass(frozen=True, kw_only=True)
class CurveOptions(FigureOptions):
    """Which curves are drawn."""

    results: tuple[Path, ...] = setting(
        REQUIRED,
        "JSON files of evaluation commands, or the .rows.jsonl files of input-iba compare",
        flag="RESULT",
    )
    own_samples: bool = setting(
        False, "draw each method over all samples that it has, not those that all have"
    )
