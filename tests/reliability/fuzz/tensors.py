"""Files of tensors that say what they are not: pickles, huge tensors, tensors of other kinds."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.reliability.fuzz.arrays import Canary

LARGE = 2**27
"""Bytes that a small file unfolds into."""


def saved(content: Any, **how: Any) -> bytes:
    """Return what `torch.save` writes."""
    held = io.BytesIO()
    torch.save(content, held, **how)
    return held.getvalue()


def edited(
    content: bytes, change: Callable[[str, bytes], bytes], how: int = zipfile.ZIP_STORED
) -> bytes:
    """Return a file of tensors each part of which, by its name, is changed."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(held, "w", how) as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return held.getvalue()


def odd_tensors() -> dict[str, Tensor]:
    """Return tensors that are not plain ones of finite numbers."""
    return {
        "NaN": torch.full((2, 2), float("nan")),
        "expanded": torch.zeros(1).expand(10**6, 10**6),
        "overlapping": torch.zeros(2 * 10**5).as_strided((10**5, 10**5), (1, 1)),
        "sparse": torch.eye(2).to_sparse(),
        "compressed rows": torch.eye(2).to_sparse_csr(),
        "without values": torch.empty(2, 2, device="meta"),
        "quantised": torch.quantize_per_tensor(torch.ones(2, 2), 1.0, 0, torch.qint8),
        "complex": torch.ones(2, 2, dtype=torch.complex64),
        "eight bits": torch.ones(2, 2).to(torch.float8_e4m3fn),
        "words": torch.ones(2, 2, dtype=torch.int64),
        "another shape": torch.ones(7, 1, 3),
        "no number": torch.ones(()),
        "none at all": torch.ones(0),
    }


def hostile(canary: Path, right: Mapping[str, Any]) -> dict[str, bytes]:
    """Return files that are to be refused, by what they are."""
    whole, old = saved(right), saved(right, _use_new_zipfile_serialization=False)
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    return {
        "a pickle": pickle.dumps(Canary(canary)),
        "a pickle of an old protocol": pickle.dumps(Canary(canary), protocol=2),
        "an object among tensors": saved({**right, "more": Canary(canary)}),
        "an object among tensors, as of old": saved(
            {**right, "more": Canary(canary)}, _use_new_zipfile_serialization=False
        ),
        "an object in its place": edited(
            whole, lambda name, old: pickle.dumps(Canary(canary)) if "data.pkl" in name else old
        ),
        "zeros that unfold": edited(
            whole,
            lambda name, old: bytes(LARGE) if name.endswith("/data/0") else old,
            zipfile.ZIP_DEFLATED,
        ),
        "too few bytes": edited(whole, lambda name, old: old[:4] if "/data/" in name else old),
        "nothing": b"",
        "half of it": whole[: len(whole) // 2],
        "half of it, as of old": old[: len(old) // 2],
        "very many parts": pickle.dumps(dict.fromkeys(range(100), deep)),
        "a list": saved([1, 2]),
        "a tensor": saved(torch.ones(2)),
        "a text": saved("weights"),
        "an empty dict": saved({}),
    }
