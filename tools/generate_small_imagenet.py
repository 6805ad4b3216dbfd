"""Make a small ImageNet: `python tools/generate_small_imagenet.py SRC DST --n 10`."""

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("small-imagenet"))
