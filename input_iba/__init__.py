"""See which pixels or words made a trained PyTorch classifier decide."""

from importlib.metadata import version

__version__ = version("input-iba")
