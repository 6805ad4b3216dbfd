"""Make a small ImageNet: `python tools/generate_small_imagenet.py SRC DST --n 10`."""

import sys

from input_iba.cli.small_imagenet import main

if __name__ == "__main__":
    sys.exit(main())
