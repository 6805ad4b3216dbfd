"""Files of tensors come back as they were, and nothing runs where they are read."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from input_iba.core.tensor_files import read_tensor_file, write_tensor_file
from input_iba.errors import CheckpointError
from input_iba.models.checkpoints import read_state_dict

FACTS = {"epoch": 3, "accuracy": 0.5, "names": ["ä", "b"], "identity": {"lr": 0.1}}
ENDINGS = ("net.pth", "net.safetensors")


@pytest.mark.parametrize("name", ENDINGS)
def test_what_is_written_comes_back(tmp_path: Path, name: str) -> None:
    tied = torch.randn(2, 3)
    weights = {"a": tied, "b": tied, "half": torch.ones(2).bfloat16(), "n": torch.tensor(7)}
    write_tensor_file(tmp_path / name, {"explainer": weights, **FACTS})
    found = read_tensor_file(tmp_path / name)
    assert {key: found[key] for key in FACTS} == FACTS
    assert found["explainer"].keys() == weights.keys()
    for key, value in weights.items():
        assert found["explainer"][key].dtype == value.dtype
        assert torch.equal(found["explainer"][key], value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_other_tools_read_what_we_write_and_we_what_they_write(tmp_path: Path) -> None:
    net = nn.Linear(2, 2)
    ours, theirs = tmp_path / "ours.safetensors", tmp_path / "theirs.safetensors"
    write_tensor_file(ours, {"state_dict": net.state_dict(), **FACTS})
    save_file(net.state_dict(), theirs)
    for found in (load_file(ours), read_state_dict(ours), read_state_dict(theirs)):
        assert all(torch.equal(found[key], value) for key, value in net.state_dict().items())


def test_as_safetensors_tensors_lie_under_one_key(tmp_path: Path) -> None:
    two = {"a": {"w": torch.ones(1)}, "b": {"w": torch.ones(1)}}
    with pytest.raises(ValueError, match=r"found them under \['a', 'b'\]"):
        write_tensor_file(tmp_path / "net.safetensors", two)
    assert list(tmp_path.iterdir()) == []


class Canary:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_pickle_is_refused_and_does_not_run(tmp_path: Path, name: str) -> None:
    canary = tmp_path / "canary"
    (tmp_path / name).write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(CheckpointError, match="cannot be read as a file of tensors"):
        read_state_dict(tmp_path / name)
    torch.save({"state_dict": Canary(canary)}, tmp_path / "saved.pth")
    with pytest.raises(CheckpointError, match="Pickled models are refused"):
        read_state_dict(tmp_path / "saved.pth")
    assert not canary.exists()
