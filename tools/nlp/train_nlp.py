"""Explain every text of a config's data set: `python tools/nlp/train_nlp.py CONFIG`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("attribute"))
