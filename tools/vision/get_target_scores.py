"""Write target probabilities: `python tools/vision/get_target_scores.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("target_scores"))
