"""Explain pictures with a trained explainer: `python tools/vibi/explain.py CHECKPOINT IMAGE...`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("vibi explain"))
