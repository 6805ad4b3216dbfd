"""Run all settings of configs/vibi: `python tools/vibi/run_experiments.py [CONFIG ...]`."""

import sys

from input_iba.cli.vibi_experiments import main

if __name__ == "__main__":
    sys.exit(main())
