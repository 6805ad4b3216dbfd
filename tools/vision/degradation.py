"""Score maps by degradation: `python tools/vision/degradation.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate degradation"))
