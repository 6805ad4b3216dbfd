"""Explain and score by many methods and metrics, on every network of a suite.

    python -m benchmarks.suite SUITE [OPTION ...]

The same as `input-iba benchmark`; docs/BENCHMARK.md says more.
"""

from __future__ import annotations

import sys

from input_iba.cli.main import script

if __name__ == "__main__":
    sys.exit(script("benchmark"))
