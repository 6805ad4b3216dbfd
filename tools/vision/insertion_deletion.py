"""Score maps by insertion and deletion: `python tools/vision/insertion_deletion.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("insertion_deletion"))
