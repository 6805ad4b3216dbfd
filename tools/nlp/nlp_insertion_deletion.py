"""Score maps of texts by insertion and deletion: `nlp_insertion_deletion.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate nlp_insertion_deletion"))
