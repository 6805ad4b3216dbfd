"""Tensors and archives that say to be something else than what a file holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MAX_UNFOLDED = 4
"""How many times the bytes of a file its content may have: `torch.save` compresses nothing."""

SLACK = 2**26
"""Bytes that a file may unfold into in any case."""


def refuse_unfolding(path: Path) -> None:
    """Raise a `ValueError` for an archive of tensors that unfolds into many times its size."""
    if not zipfile.is_zipfile(path):  # of early releases of torch
        return
    with zipfile.ZipFile(path) as archive:
        unfolded = sum(member.file_size for member in archive.infolist())
    if unfolded > MAX_UNFOLDED * path.stat().st_size + SLACK:
        raise ValueError(f"it unfolds into {unfolded:,} bytes")


def refuse_pretence(content: Any) -> None:
    """Raise a `ValueError` for tensors in nested data that have more values than are stored.

    So are those that are not plain: sparse, quantised, or without values.
    """
    for tensor in _tensors(content):
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            kind = f"{tensor.layout}, {tensor.dtype}, on {tensor.device}"
            raise ValueError(f"expected dense tensors of numbers, got one of {kind}")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise ValueError(f"a tensor says to have the shape {tuple(tensor.shape)}, and has less")


def refuse_missing_bytes(path: Path, content: Any) -> None:
    """Raise a `ValueError` for dense tensors of which an archive does not store every byte.

    Releases of torch up to 2.7 at least leave the rest of such a tensor as it comes.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        stored = sum(one.file_size for one in archive.infolist() if "/data/" in one.filename)
    storages = {
        t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in _tensors(content)
    }
    if sum(storages.values()) > stored:
        raise ValueError(
            f"its tensors have {sum(storages.values()):,} bytes, and it has {stored:,}"
        )


def _tensors(content: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested data, which may hold itself."""
    todo, seen = [content], set()
    while todo:
        value = todo.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping | list | tuple | set) and id(value) not in seen:
            seen.add(id(value))
            todo += value.values() if isinstance(value, Mapping) else value
