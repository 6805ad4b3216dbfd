"""Score maps by effective heat ratios: `python tools/vision/evaluate_ehr.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate ehr"))
