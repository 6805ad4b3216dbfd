"""Keep `python setup.py develop` working; everything else is in pyproject.toml."""

from setuptools import setup

setup()
