"""Score maps by effective heat ratios: `python tools/vision/evaluate_ehr.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("ehr"))
