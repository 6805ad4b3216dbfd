"""Score maps by sensitivity-N: `python tools/vision/sensitivity_n.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate sensitivity_n"))
