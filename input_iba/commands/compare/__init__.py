"""Several methods, several metrics, the same samples: one table."""

from input_iba.commands.compare.options import CompareOptions
from input_iba.commands.compare.run import CompareResult, run_compare

__all__ = ["CompareOptions", "CompareResult", "run_compare"]
