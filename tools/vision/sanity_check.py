"""Re-initialise the classifier and compare maps: `python tools/vision/sanity_check.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("sanity_check"))
