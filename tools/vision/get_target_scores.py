"""Write target probabilities: `python tools/vision/get_target_scores.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate target_scores"))
