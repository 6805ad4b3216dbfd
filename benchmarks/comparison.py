"""Explain the same samples by many methods, and compare their maps by many metrics.

    python -m benchmarks.comparison CONFIG --work-dir DIR [--methods METHOD ...] [-- OPTION ...]

Every method gets a work directory of its own in DIR, and the tables go to DIR/compare. All of it is
gone on with where it stopped. What follows `--` goes to `input-iba compare`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOOLS = Path(__file__).parent.parent / "tools" / "vision"
OURS = "input_iba"
METHODS = (
    *(OURS, "iba", "random", "gradient", "smooth_grad", "int_grad", "guided_bp", "grad_cam"),
    *("occlusion", "rise", "ex_perturb"),
)
"""Name of each in the tables; all but the first are those of `train_baseline.py`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the commands one after the other."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    options, of_compare = parse(given[:cut]), given[cut + 1 :]
    common = ["--resume", *configured(options.cfg_options)]
    if options.subset_file:
        common += ["--subset-file", str(options.subset_file)]
    for method in options.methods:
        folder = ["--work-dir", str(options.work_dir / method)]
        if method == OURS:
            run([str(TOOLS / "train.py"), options.config, *folder, *common])
        else:
            run([str(TOOLS / "train_baseline.py"), options.config, method, *folder, *common])
    folders = [str(options.work_dir / method) for method in options.methods]
    out = ["--out", str(options.work_dir / "compare"), "--resume", "--precision", "auto"]
    run(["-m", "input_iba.cli.main", "compare", *folders, *out, *of_compare])


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line up to `--`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.comparison", description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--work-dir", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), metavar="METHOD")
    parser.add_argument("--subset-file", type=Path, help="ids of the samples to explain")
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
