"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

pytest_plugins = ["tests.tiny_runs"]

if "PYTEST_XDIST_WORKER" in os.environ:
    # Otherwise every worker starts one thread per core, and they only wait for each other.
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Return the folder of real data that the variable INPUT_IBA_DATA names."""
    folder = os.environ.get("INPUT_IBA_DATA")
    if not folder:
        pytest.skip("INPUT_IBA_DATA is not set")
    return Path(folder)


# A loaded machine must not fail a property by the clock.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
