"""Explain by another method: `python tools/vision/train_baseline.py CONFIG METHOD`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("baseline"))
