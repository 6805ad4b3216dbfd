"""Explain texts by another method: `python tools/nlp/train_baseline.py CONFIG METHOD`."""

import sys

from input_iba.cli.baseline import main

if __name__ == "__main__":
    sys.exit(main())
