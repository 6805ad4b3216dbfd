"""Score maps by pointing game, mass and overlap: `python tools/vision/localisation.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate localisation"))
