"""Score maps by insertion and deletion: `python tools/vision/insertion_deletion.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate insertion_deletion"))
