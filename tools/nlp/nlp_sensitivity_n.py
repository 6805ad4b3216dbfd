"""Score maps of texts by sensitivity-N: `python tools/nlp/nlp_sensitivity_n.py CONFIG …`."""

import sys

from input_iba.cli.evaluate import main

if __name__ == "__main__":
    sys.exit(main("nlp_sensitivity_n"))
