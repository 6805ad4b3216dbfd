"""Train the classifier of a config: `python tools/nlp/train_classifier.py CONFIG`."""

import sys

from input_iba.cli.train_classifier import main

if __name__ == "__main__":
    sys.exit(main())
