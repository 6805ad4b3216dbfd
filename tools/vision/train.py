"""Explain every image of a config's data set: `python tools/vision/train.py CONFIG`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("attribute"))
