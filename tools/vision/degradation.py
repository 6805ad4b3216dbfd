"""Score maps by degradation: `python tools/vision/degradation.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("degradation"))
