"""Train the classifier of a config: `python tools/nlp/train_classifier.py CONFIG`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("train nlp"))
