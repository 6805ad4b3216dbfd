"""Explain the same samples by many methods, and compare their maps by many metrics.

    python -m benchmarks.comparison CONFIG --work-dir DIR [--methods METHOD ...] [-- OPTION ...]

Every method gets a work directory of its own in DIR, and the tables go to DIR/compare. All of it is
gone on with where it stopped. What follows `--` goes to `input-iba compare`. CONFIG may be about
texts: then tools, default methods and default metrics are those of texts.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from input_iba.cli.options import add_options
from input_iba.run.options import RunOptions

TOOLS = Path(__file__).parent.parent / "tools"
OURS = "input_iba"
METHODS = (
    *(OURS, "iba", "random", "gradient", "smooth_grad", "int_grad", "guided_bp", "grad_cam"),
    *("occlusion", "rise", "ex_perturb"),
)
"""Name of each in the tables; all but the first are those of `train_baseline.py`."""

TEXT_METHODS = (OURS, "iba", "int_grad", "lime", "random", "input_x_gradient")
"""The same for texts."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the commands one after the other."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    options, of_compare = parse(given[:cut]), given[cut + 1 :]
    text = about_text(options.config)
    methods = options.methods or list(TEXT_METHODS if text else METHODS)
    common = ["--resume", *configured(options.cfg_options)]
    if options.subset_file:
        common += ["--subset-file", str(options.subset_file)]
    if options.num_samples:
        common += ["--num-samples", str(options.num_samples)]
    tools, own = (TOOLS / "nlp", "train_nlp.py") if text else (TOOLS / "vision", "train.py")
    for method in methods:
        folder = ["--work-dir", str(options.work_dir / method)]
        if method == OURS:
            run([str(tools / own), options.config, *folder, *common])
        else:
            run([str(tools / "train_baseline.py"), options.config, method, *folder, *common])
    folders = [str(options.work_dir / method) for method in methods]
    out = ["--out", str(options.work_dir / "compare"), "--resume", "--precision", "auto"]
    if text and "--metrics" not in of_compare:
        out += ["--metrics", "nlp_insertion_deletion", "nlp_sensitivity_n"]
    run(["-m", "input_iba.cli.main", "compare", *folders, *out, *of_compare])


def about_text(config: str) -> bool:
    """Say whether a config is about texts."""
    from input_iba.config.load import load_config  # here, so that --help answers at once

    return load_config(config).kind.name == "texts"


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line up to `--`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        help=f"default: {' '.join(METHODS)}; for texts {' '.join(TEXT_METHODS)}",
    )
    add_options(parser, RunOptions, only=("subset_file", "num_samples"))
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE")
    return parser.parse_args(arguments)


def configured(cfg_options: Sequence[str]) -> list[str]:
    """Return the options that change the config."""
    return ["--cfg-options", *cfg_options] if cfg_options else []


def run(command: Sequence[str]) -> None:
    """Run a script of the package; say which one failed."""
    finished = subprocess.run([sys.executable, *command], check=False)
    if finished.returncode:
        raise SystemExit(f"Exit status {finished.returncode} of: {' '.join(command)}")


if __name__ == "__main__":
    main()
