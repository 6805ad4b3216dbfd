"""Score maps by pointing game, mass and overlap: `python tools/vision/localisation.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("localisation"))
