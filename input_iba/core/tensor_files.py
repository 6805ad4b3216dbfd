"""Files of tensors and plain data, from which nothing runs where they are read.

The ending says the format: `.safetensors`, which holds nothing but tensors and text, or any other
for torch's own, of which tensors and plain data alone are read.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save

from input_iba.core.files import parse_json, written_whole
from input_iba.core.pretence import refuse_missing_bytes, refuse_pretence, refuse_unfolding

SAFE = ".safetensors"

STATE_DICT = "state_dict"
"""Key of the weights where a file does not name it."""

WEIGHTS, FACTS = "weights", "facts"
"""Keys of a safetensors file's own texts: the key of the weights, and the plain data as JSON."""


def write_tensor_file(path: Path, content: Mapping[str, Any]) -> None:
    """Write plain data, and under one key a mapping of tensors by name; whole or not at all.

    Raises:
        ValueError: As safetensors, not one key alone holds tensors.
    """
    # In memory first: what is written by these libraries hides that a disk is full.
    data = _safe(content) if path.suffix == SAFE else _pickled(content)
    with written_whole(path) as aside:
        aside.write_bytes(data)


def _safe(content: Mapping[str, Any]) -> bytes:
    held = [key for key, value in content.items() if _are_tensors(value)]
    if len(held) != 1:
        raise ValueError(f"expected tensors under one key, found them under {held}")
    facts = {key: value for key, value in content.items() if key != held[0]}
    # Copies: tensors that share memory are refused.
    tensors = {name: value.clone() for name, value in content[held[0]].items()}
    return save(tensors, {WEIGHTS: held[0], FACTS: json.dumps(facts)})


def _pickled(content: Mapping[str, Any]) -> memoryview:
    stream = io.BytesIO()
    torch.save(dict(content), stream)
    return stream.getbuffer()


def read_tensor_file(path: Path, device: torch.device | str = "cpu") -> Any:
    """Read what `write_tensor_file` or another tool wrote: of safetensors always a mapping.

    Raises:
        OSError: The file cannot be opened.
        ValueError: It holds something else, or a tensor says to be larger than it is.
    """
    try:
        content = _read_safe(path, device) if path.suffix == SAFE else _read_torch(path, device)
    except (OSError, ValueError):
        raise
    except Exception as error:  # the readers raise whatever their decoders meet
        raise ValueError(str(error).strip().split("\n")[0] or type(error).__name__) from error
    refuse_pretence(content)
    refuse_missing_bytes(path, content)
    return content


def _read_torch(path: Path, device: torch.device | str) -> Any:
    refuse_unfolding(path)
    return torch.load(path, map_location=device, weights_only=True)


def _read_safe(path: Path, device: torch.device | str) -> Any:
    with safe_open(path, framework="pt", device=str(device)) as file:
        said = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return {said.get(WEIGHTS, STATE_DICT): tensors, **parse_json(said.get(FACTS, "{}"))}


def _are_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(v, torch.Tensor) for v in value.values())
