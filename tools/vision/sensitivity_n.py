"""Score maps by sensitivity-N: `python tools/vision/sensitivity_n.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("sensitivity_n"))
