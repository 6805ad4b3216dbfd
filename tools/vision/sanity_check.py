"""Re-initialise the classifier and compare maps: `python tools/vision/sanity_check.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate sanity_check"))
