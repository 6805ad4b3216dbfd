"""Fixtures and settings that all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from torch import nn

pytest_plugins = ["tests.tiny_runs"]

if "PYTEST_XDIST_WORKER" in os.environ:
    # Otherwise every worker starts one thread per core, and they only wait for each other.
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that tests start


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


Unchanged = Callable[[nn.Module], AbstractContextManager[None]]


@pytest.fixture(scope="session")
def unchanged() -> Unchanged:
    """Return a context after which a model must be as it was before.

    Weights, buffers and gradients, which of them are trained, modes, hooks, and which attributes
    its modules have (a replaced `forward` is one).
    """

    @contextmanager
    def holding(model: nn.Module) -> Iterator[None]:
        before = _looks(model)
        parameters = list(model.parameters())
        yield
        after = _looks(model)
        assert after.keys() == before.keys()
        for name, value in after.items():
            same = torch.equal if isinstance(value, torch.Tensor) else lambda a, b: a == b
            assert same(value, before[name]), f"{name} is {value}, was {before[name]}"
        assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))

    return holding


def _looks(model: nn.Module) -> dict[str, Any]:
    found: dict[str, Any] = {k: v.clone() for k, v in model.state_dict().items()}
    for name, weights in model.named_parameters():
        found[f"{name}.requires_grad"] = weights.requires_grad
        found[f"{name}.grad"] = None if weights.grad is None else weights.grad.clone()
    for name, module in model.named_modules():
        hooks = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
        found[f"{name} mode"] = module.training
        found[f"{name} hooks"] = [list(getattr(module, kind).values()) for kind in hooks]
        found[f"{name} attributes"] = sorted(vars(module))
    return found
