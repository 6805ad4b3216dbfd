"""Train an explainer for a black box: `python tools/vibi/train.py --config CONFIG`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("vibi train"))
