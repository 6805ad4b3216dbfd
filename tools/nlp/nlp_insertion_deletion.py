"""Score maps of texts by insertion and deletion: `nlp_insertion_deletion.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("nlp_insertion_deletion"))
