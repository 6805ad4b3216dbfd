"""Score maps of texts by sensitivity-N: `python tools/nlp/nlp_sensitivity_n.py CONFIG …`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("evaluate nlp_sensitivity_n"))
