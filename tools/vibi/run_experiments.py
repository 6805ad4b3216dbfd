"""Run all settings of configs/vibi: `python tools/vibi/run_experiments.py [CONFIG ...]`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("vibi experiments"))
