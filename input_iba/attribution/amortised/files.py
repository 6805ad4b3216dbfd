"""Explainers on disk: tensors and plain data, nothing that runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from input_iba.attribution.amortised.explainer import Explainer, Plan, plan_of
from input_iba.core.tensor_files import read_tensor_file, write_tensor_file
from input_iba.errors import DataError

WEIGHTS = "explainer"
"""Key of the weights in a file."""


def facts_of(plan: Plan) -> dict[str, Any]:
    """Return what a file says of an explainer beside its weights."""
    return {"plan": asdict(plan)}


def write_explainer(path: Path, explainer: Explainer) -> Path:
    """Write an explainer, whole or not at all; return the path."""
    weights = {k: v.detach().cpu().contiguous() for k, v in explainer.state_dict().items()}
    write_tensor_file(path, {WEIGHTS: weights, **facts_of(explainer.plan)})
    return path


def read_explainer(path: Path) -> Explainer:
    """Read an explainer, in eval mode.

    Raises:
        DataError: The file is absent, or holds something else.
    """
    if not path.is_file():
        raise DataError(
            f"Explainer '{path}' does not exist. 'input-iba train explainer CONFIG' or "
            "AmortisedIBA.save(path) writes one."
        )
    try:
        content = _content(path, path.stat().st_mtime_ns)
        plan = plan_of(content["plan"])
        weights = content[WEIGHTS]
        _check_shapes(plan, weights)
        explainer = Explainer(plan)
        explainer.load_state_dict(weights)
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise DataError(
            f"'{path}' does not hold an explainer: {reason}. Expected a file that 'input-iba "
            "train explainer' or AmortisedIBA.save(path) wrote."
        ) from error
    return explainer.eval().requires_grad_(False)


@lru_cache(maxsize=4)
def _content(path: Path, changed: int) -> Mapping[str, Any]:
    """Return what is in a file that was changed last at some time."""
    found: Mapping[str, Any] = read_tensor_file(path)
    return found


def _check_shapes(plan: Plan, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights of another explainer than the plan's, before memory is taken for it."""
    try:
        with torch.device("meta"):
            own = Explainer(plan).state_dict()
    except Exception as error:  # networks raise anything about sizes that cannot be
        raise ValueError(f"its plan is not one of an explainer: {error}") from error
    wrong = [name for name in own if name not in weights or weights[name].shape != own[name].shape]
    if wrong or len(own) != len(weights):
        raise ValueError(f"its weights are not those of its plan: {', '.join(wrong[:3])}")
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise ValueError("its weights hold NaN or infinity")
